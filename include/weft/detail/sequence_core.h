// What broadcast and watch have in common: the last few values of a sequence, and readers at places of their own.
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/object_lock.h>
#include <weft/detail/select_case.h>
#include <weft/detail/wait_list_ends.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

namespace weft::inline v0::detail {

using shared_value = std::shared_ptr<const void>;

enum class sequence_status : std::uint8_t { news, nothing_new, closed };

// Values are numbered from 1. Its members do what basic_reader, broadcast and watch say of theirs.
class WEFT_API sequence_core {
 public:
  // `kept`: how many of the newest values stay in reach. `skips`: whether a reader that missed some is not told.
  // Throws: std::invalid_argument if `kept` is 0; std::bad_alloc.
  sequence_core(std::size_t kept, bool skips, const char* name);
  ~sequence_core();
  sequence_core(const sequence_core&) = delete;
  sequence_core& operator=(const sequence_core&) = delete;

  // False if it is closed.
  bool publish(shared_value value) noexcept;
  bool close(std::exception_ptr error) noexcept;
  bool is_closed() const noexcept;
  shared_value newest() const noexcept;
  std::uint64_t newest_number() const noexcept;

 private:
  friend class sequence_reader;
  friend struct sequence_cases;

  void wake_all_and_unlock() noexcept;

  mutable object_lock lock_;
  // Under the lock:
  std::uint64_t last_ = 0;            // Number of the newest value.
  std::vector<shared_value> values_;  // Value n is at (n - 1) % size.
  bool is_closed_ = false;
  std::exception_ptr error_;
  wait_list_ends waiters_;
  // Constant:
  const bool skips_;
  const char* const name_;
};

// A place in the sequence. One owner.
class WEFT_API sequence_reader {
 public:
  sequence_reader(sequence_core& source, std::uint64_t seen) noexcept : source_(&source), seen_(seen) {}

  // Finds the next value; has_read() then goes past it. Null at the deadline, and where it is closed and nothing is left.
  // Throws: weft::lagged; the error it was closed with; weft::cancelled.
  shared_value next(std::int64_t deadline);
  void has_read() noexcept { seen_ = found_; }
  bool is_drained() const noexcept;

  static const select_ops case_ops;

 private:
  friend struct sequence_cases;

  // Calls in a row that did not wait, until one lets others run.
  static constexpr std::uint32_t longest_run = 64;

  void take_turn();
  sequence_status look(shared_value& place);
  void throw_close_error() const;
  [[noreturn]] void throw_lagged(std::uint64_t missed) const;

  sequence_core* source_;
  std::uint64_t seen_;       // Number of the last value it has read.
  std::uint64_t found_ = 0;  // Number of the value that next() found.
  std::uint32_t run_left_ = longest_run;
};

}  // namespace weft::inline v0::detail
