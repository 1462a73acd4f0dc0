// Where the fibers that a batch of events has made ready will go on, so that their stacks can be fetched in time.
#pragma once

#include "base/cache_line.h"
#include "context/switch.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace weft::inline v0::detail {

// A fiber that has waited for one socket among thousands resumes on a cold stack, whose address in the translation buffer is
// as cold; both together take as long as a short system call. So each fiber that is about to run fetches the stack of the
// next one. Hints only: in the order of the queue, but for what else is queued; where there is no room they are dropped.
//
// Thread safety: none; it belongs to a core's worker.
class resume_hints {
 public:
  bool empty() const noexcept { return left_ == 0; }

  void give(saved_context where) noexcept {
    if (left_ == 0) fetch(where);  // The first runs next, and nobody before it fetches it.
    if (left_ < ahead_.size()) ahead_[(first_ + left_++) % ahead_.size()] = where;
  }

  // Requires: not empty. By whoever takes a fiber from the queue.
  void fetch_next() noexcept {
    ++first_;
    if (--left_ != 0) fetch(ahead_[first_ % ahead_.size()]);
  }

 private:
  // What the switch reads, and the frames behind the red zone, which it skips.
  static void fetch(saved_context where) noexcept {
    const auto* const frames = static_cast<const std::byte*>(where);
    __builtin_prefetch(frames);
    __builtin_prefetch(frames + 2 * cache_line);
    __builtin_prefetch(frames + 3 * cache_line);
    __builtin_prefetch(frames + 4 * cache_line);
  }

  std::array<saved_context, 128> ahead_;
  std::uint32_t first_ = 0;
  std::uint32_t left_ = 0;
};

}  // namespace weft::inline v0::detail
