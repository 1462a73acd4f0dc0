// A channel out of which the greatest value comes first.
#pragma once

#include <weft/basic_channel.h>
#include <weft/detail/pointer_store.h>

#include <functional>

namespace weft::inline v0 {

// As std::priority_queue, of all values in it the greatest is received first; of equal ones the one that was sent first.
// Use std::greater for the smallest first. Everything it can do stands in basic_channel.h.
//
// Complexity: a send and a receive compare O(log n) times, under the lock, and move each value twice in all. Growing an
//   unbounded one copies n pointers under the lock, once in n sends.
// Requires: also that comparing neither waits nor uses the channel; it may throw, and then nothing happened.
template <class T, class Compare = std::less<T>>
class priority_channel : public basic_channel<T, detail::pointer_store<T, detail::greatest_first<Compare>>> {
  using store = detail::pointer_store<T, detail::greatest_first<Compare>>;

 public:
  // Room for `capacity` values; with 0 nothing is kept, and there is no order but that of the senders.
  // Throws: std::bad_alloc. The memory is taken at once.
  explicit priority_channel(std::size_t capacity, Compare compare = {})
      : basic_channel<T, store>(capacity, store(capacity, {std::move(compare)})) {}
  explicit priority_channel(unbounded_t = weft::unbounded, Compare compare = {})
      : priority_channel(SIZE_MAX, std::move(compare)) {}
};

}  // namespace weft::inline v0
