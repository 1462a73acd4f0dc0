// Waiting for several fibers at once.
//
//   std::vector<weft::fiber<page>> crawl = ...;
//   auto [done, pending] = weft::wait(crawl, weft::wait_for::first_completed, 1s);
//   for (weft::fiber<page>& each : weft::as_completed(crawl)) show(each.join());
#pragma once

#include <weft/deadline.h>
#include <weft/fiber.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <utility>
#include <vector>

namespace weft::inline v0 {

enum class wait_for : std::uint8_t { first_completed, first_exception, all_completed };

// Places in the range that was given.
struct wait_result {
  std::vector<std::size_t> done;
  std::vector<std::size_t> pending;
};

template <class Range>
concept fiber_range = std::ranges::forward_range<Range> &&
    std::derived_from<std::remove_cvref_t<std::ranges::range_reference_t<Range>>, basic_fiber>;

namespace detail {

// Waits until one of the fibers has ended; false at the deadline.
// Throws: std::system_error for a null (invalid_argument) and for the calling fiber (resource_deadlock_would_occur);
//   std::bad_alloc. Cancel: throws weft::cancelled.
WEFT_API bool wait_any(const std::vector<fiber_record*>& fibers, std::int64_t deadline);

// After the end: whether it threw. One that was cancelled did not.
WEFT_API bool fiber_failed(const fiber_record* fiber) noexcept;

WEFT_API wait_result wait_for_fibers(const std::vector<fiber_record*>& fibers, wait_for until, std::int64_t deadline);

struct fiber_access {
  static fiber_record* record_of(const basic_fiber& f) noexcept { return f.record_; }

  template <fiber_range Range>
  static std::vector<fiber_record*> records_of(Range& fibers) {
    std::vector<fiber_record*> records;
    for (const basic_fiber& each : fibers) records.push_back(each.record_);
    return records;
  }
};

}  // namespace detail

// Waits until one has ended, or one has thrown (or all have ended), or all have ended; at most until `limit`. Joins
// none of them.
// Throws, Cancel, Blocks: as fiber::join() does for misuse and for the caller's cancellation; std::bad_alloc.
template <fiber_range Range>
wait_result wait(Range& fibers, weft::wait_for until = weft::wait_for::all_completed,
                 deadline limit = deadline::never()) {
  return detail::wait_for_fibers(detail::fiber_access::records_of(fibers), until, limit.nanoseconds());
}

// The fibers of a range in the order in which they end. Each step waits for the next one; a fiber that was joined or
// dropped meanwhile counts as ended.
// Lifetime: the range of fibers stays where it is. Throws, Cancel, Blocks (each step): as wait().
template <std::derived_from<basic_fiber> Fiber>
class as_completed_view {
 public:
  class iterator {
   public:
    using value_type = Fiber;
    using difference_type = std::ptrdiff_t;

    Fiber& operator*() const noexcept { return *view_->current_; }
    iterator& operator++() {
      view_->step();
      return *this;
    }
    void operator++(int) { view_->step(); }
    friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept { return i.is_over(); }

   private:
    friend class as_completed_view;
    bool is_over() const noexcept { return view_->current_ == nullptr; }
    explicit iterator(as_completed_view* view) noexcept : view_(view) {}
    as_completed_view* view_;
  };

  template <fiber_range Range>
  as_completed_view(Range& fibers, deadline limit) : limit_(limit) {
    for (Fiber& each : fibers) pending_.push_back(&each);
  }

  iterator begin() {
    step();
    return iterator(this);
  }
  std::default_sentinel_t end() const noexcept { return {}; }

  // The fibers that had not ended at the deadline, at which the range ends.
  const std::vector<Fiber*>& pending() const noexcept { return pending_; }

 private:
  void step() {
    current_ = nullptr;
    if (pending_.empty()) return;
    std::vector<detail::fiber_record*> records;
    const auto has_ended = [](Fiber* each) { return !each->joinable() || each->done(); };
    auto found = std::ranges::find_if(pending_, has_ended);
    if (found == pending_.end()) {
      for (Fiber* each : pending_) records.push_back(detail::fiber_access::record_of(*each));
      if (!detail::wait_any(records, limit_.nanoseconds())) return;
      found = std::ranges::find_if(pending_, has_ended);
    }
    current_ = *found;
    pending_.erase(found);
  }

  std::vector<Fiber*> pending_;
  Fiber* current_ = nullptr;
  deadline limit_;
};

template <fiber_range Range>
auto as_completed(Range& fibers, deadline limit = deadline::never()) {
  return as_completed_view<std::remove_reference_t<std::ranges::range_reference_t<Range>>>(fibers, limit);
}

}  // namespace weft::inline v0
