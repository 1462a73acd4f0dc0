// Waiting for several fibers at once.
//
//   std::vector<weft::fiber<page>> crawl = ...;
//   auto [done, pending] = weft::wait(crawl, weft::wait_for::first_completed, 1s);
//   for (weft::fiber<page>& each : weft::as_completed(crawl)) show(each.join());
#pragma once

#include <weft/deadline.h>
#include <weft/detail/ends_watch.h>
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

// After the end: whether it threw. One that was cancelled did not.
WEFT_API bool fiber_failed(const fiber_record* fiber) noexcept;

WEFT_API wait_result wait_for_fibers(const std::vector<fiber_record*>& fibers, wait_for until, std::int64_t deadline);

struct fiber_access {
  static fiber_record* record_of(const basic_fiber& f) noexcept { return f.unjoined(); }

  template <fiber_range Range>
  static std::vector<fiber_record*> records_of(Range& fibers) {
    std::vector<fiber_record*> records;
    for (const basic_fiber& each : fibers) records.push_back(each.unjoined());
    return records;
  }
};

}  // namespace detail

// Waits until one has ended, or one has thrown (or all have ended), or all have ended; at most until `limit`. Joins
// none of them; one that was cancelled has not thrown.
// Throws, Cancel, Blocks: as fiber::join() does for misuse and for the caller's cancellation; std::bad_alloc.
template <fiber_range Range>
wait_result wait(Range& fibers, weft::wait_for until = weft::wait_for::all_completed,
                 deadline limit = deadline::never()) {
  return detail::wait_for_fibers(detail::fiber_access::records_of(fibers), until, limit.nanoseconds());
}

// The fibers of a range in the order in which they end, those that had ended before in the order of the range. Each step
// waits for the next one; a handle without a fiber counts as ended, and one that is joined or dropped meanwhile is
// yielded all the same. Leaving the range half way changes nothing for the fibers that are left.
// Lifetime: the range of fibers stays where it is, and as it is.
// Throws, Cancel, Blocks (each step): as wait(), but for handles without a fiber.
// Cost: one allocation for the range, and the same for each step, however many fibers there are.
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
  as_completed_view(Range& fibers, deadline limit) : ends_(detail::fiber_access::records_of(fibers)), limit_(limit) {
    for (Fiber& each : fibers) left_.push_back(&each);
  }

  iterator begin() {
    step();
    return iterator(this);
  }
  std::default_sentinel_t end() const noexcept { return {}; }

  // The fibers that have not been yielded: at the end of the range, those that had not ended at the deadline.
  std::vector<Fiber*> pending() const {
    std::vector<Fiber*> fibers;
    std::ranges::copy_if(left_, std::back_inserter(fibers), [](Fiber* each) { return each != nullptr; });
    return fibers;
  }

 private:
  void step() {
    const std::size_t place = ends_.next(limit_.nanoseconds());
    current_ = place != detail::ends_watch::none ? std::exchange(left_[place], nullptr) : nullptr;
  }

  detail::ends_watch ends_;
  std::vector<Fiber*> left_;  // Null in the place of one that was yielded.
  Fiber* current_ = nullptr;
  deadline limit_;
};

template <fiber_range Range>
auto as_completed(Range& fibers, deadline limit = deadline::never()) {
  return as_completed_view<std::remove_reference_t<std::ranges::range_reference_t<Range>>>(fibers, limit);
}

}  // namespace weft::inline v0
