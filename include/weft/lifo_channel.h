// A channel out of which the newest value comes first.
#pragma once

#include <weft/basic_channel.h>
#include <weft/detail/pointer_store.h>

namespace weft::inline v0 {

// The last value sent is the first received. Everything it can do stands in basic_channel.h.
template <class T>
class lifo_channel : public basic_channel<T, detail::pointer_store<T, detail::newest_first>> {
  using store = detail::pointer_store<T, detail::newest_first>;

 public:
  // Room for `capacity` values; with 0 nothing is kept, and there is no order but that of the senders.
  // Throws: std::bad_alloc. The memory is taken at once.
  explicit lifo_channel(std::size_t capacity) : basic_channel<T, store>(capacity, store(capacity, {})) {}
  explicit lifo_channel(unbounded_t = weft::unbounded) : lifo_channel(SIZE_MAX) {}
};

}  // namespace weft::inline v0
