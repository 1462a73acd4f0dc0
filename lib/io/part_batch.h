// Scatter and gather: a list of buffers of any length, handed to the kernel in batches and advanced by what it moved.
#pragma once

#include "io/transfer.h"

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

namespace weft::inline v0::detail {

// The buffers of one system call. Small, since it lies on a fiber's stack; far below every system's IOV_MAX.
struct part_batch {
  static constexpr std::size_t capacity = 64;

  std::array<iovec, capacity> parts;
  int count = 0;
  std::size_t bytes = 0;
};

// A position in a list of buffers. `Byte` is std::byte for reading into them, const std::byte for writing them.
template <class Byte>
class part_cursor {
 public:
  explicit part_cursor(std::span<const std::span<Byte>> buffers) noexcept : rest_(buffers) { skip_empty(); }

  bool at_end() const noexcept { return rest_.empty(); }

  // What lies ahead, at most a batch and at most largest_attempt bytes. Buffers of no bytes are left out: a
  // call with nothing but them would look like the end of the stream.
  void fill(part_batch& batch) const noexcept {
    batch.count = 0;
    batch.bytes = 0;
    std::size_t skipped = offset_;
    for (const std::span<Byte> buffer : rest_) {
      const std::size_t room = largest_attempt - batch.bytes;
      const std::size_t size = std::min(buffer.size() - skipped, room);
      if (size > 0) {
        using plain_byte = std::remove_const_t<Byte>;
        iovec& part = batch.parts[static_cast<std::size_t>(batch.count++)];
        part.iov_base = const_cast<plain_byte*>(buffer.data()) + skipped;  // iovec has one type for both ways.
        part.iov_len = size;
        batch.bytes += size;
      }
      skipped = 0;
      if (batch.bytes == largest_attempt || static_cast<std::size_t>(batch.count) == part_batch::capacity) break;
    }
  }

  // Requires: `moved` is at most what the last fill() gave.
  void advance(std::size_t moved) noexcept {
    while (moved > 0) {
      const std::size_t here = rest_.front().size() - offset_;
      if (moved < here) {
        offset_ += moved;
        return;
      }
      moved -= here;
      rest_ = rest_.subspan(1);
      offset_ = 0;
    }
    skip_empty();
  }

 private:
  void skip_empty() noexcept {
    while (!rest_.empty() && rest_.front().size() == offset_) {
      rest_ = rest_.subspan(1);
      offset_ = 0;
    }
  }

  std::span<const std::span<Byte>> rest_;
  std::size_t offset_ = 0;  // Into the first of the rest.
};

// Writes every part. The attempt takes a batch.
template <class Attempt>
transferred write_every_part(std::span<const std::span<const std::byte>> parts, Attempt&& attempt) noexcept {
  transferred done;
  part_batch batch;
  for (part_cursor<const std::byte> cursor(parts); !cursor.at_end();) {
    cursor.fill(batch);
    const std::ptrdiff_t moved = attempt(batch);
    if (moved <= 0) {
      done.error = moved < 0 ? static_cast<int>(-moved) : EIO;
      break;
    }
    done.count += static_cast<std::size_t>(moved);
    cursor.advance(static_cast<std::size_t>(moved));
  }
  return done;
}

}  // namespace weft::inline v0::detail
