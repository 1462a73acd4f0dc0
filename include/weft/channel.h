// A first-in, first-out channel.
//
//   weft::channel<job> jobs(16);
//   auto worker = weft::spawn([&] {
//     for (job& next : jobs) next.run();
//   });
//   jobs.send(job(1));
//   jobs.close();
//   worker.join();
#pragma once

#include <weft/basic_channel.h>
#include <weft/detail/fifo_store.h>

namespace weft::inline v0 {

// Values arrive in the order in which they were sent. Everything it can do stands in basic_channel.h.
template <class T>
class channel : public basic_channel<T, detail::fifo_store<T>> {
 public:
  // Room for `capacity` values. With 0, the usual, there is no buffer: a send waits for its receiver, and both meet.
  // Throws: std::bad_alloc. The memory is taken at once.
  explicit channel(std::size_t capacity = 0)
      : basic_channel<T, detail::fifo_store<T>>(capacity, detail::fifo_store<T>(capacity)) {}

  // Senders never wait; memory is what limits it.
  explicit channel(unbounded_t) : channel(SIZE_MAX) {}
  static channel unbounded() { return channel(weft::unbounded); }
};

}  // namespace weft::inline v0
