// The ends of several fibers as they come: what wait() and as_completed() are made of.
#pragma once

#include <weft/detail/config.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weft::inline v0::detail {

class fiber_record;

// Remembers which of its fibers have ended, in the order in which they do, those that had ended before in their own.
// Joins none of them, and may be given up at any time: the fibers and their handles stay as they are.
//
// Thread safety: one fiber's, or one plain thread's. Handles may be joined, dropped and detached meanwhile.
// Cost: one allocation; an end costs the same however many are watched.
class WEFT_API ends_watch {
 public:
  static constexpr std::size_t none = ~std::size_t{0};

  // A null counts as ended.
  // Throws: std::system_error (resource_deadlock_would_occur) for the calling fiber; std::bad_alloc.
  explicit ends_watch(const std::vector<fiber_record*>& fibers);
  ~ends_watch();
  ends_watch(ends_watch&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  ends_watch& operator=(ends_watch&&) = delete;

  // Waits for the next end. Returns its place among the fibers; `none` once all were returned, and at the deadline
  // (monotonic nanoseconds).
  // Cancel: throws weft::cancelled, with no end lost. Blocks: fiber or thread; never if there is an end to return.
  std::size_t next(std::int64_t deadline);

 private:
  struct state;
  state* state_;
};

}  // namespace weft::inline v0::detail
