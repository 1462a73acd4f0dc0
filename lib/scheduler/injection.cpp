#include "scheduler/injection.h"

#include <cassert>
#include <new>

#if __has_include(<concurrentqueue.h>)
#include <concurrentqueue.h>
#else
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#endif

namespace weft::inline v0::detail {

// Every thread that ever pushes gets an index of its own: a small one, since most push little.
struct queue_traits : moodycamel::ConcurrentQueueDefaultTraits {
  static constexpr std::size_t IMPLICIT_INITIAL_INDEX_SIZE = 8;
};

struct injection::storage {
  moodycamel::ConcurrentQueue<void*, queue_traits> queue{0};
};

injection::injection() : queue_(std::make_unique<storage>()) {}
injection::~injection() = default;

// Not inlined: the queue finds the calling thread's producer by the address of a thread_local, which must not
// be kept across a suspension of the caller.
WEFT_NOINLINE void injection::push(void* element) {
  assert(element != nullptr);
  if (!queue_->queue.enqueue(element)) throw std::bad_alloc();
  count_.fetch_add(1, release);  // Pairs with try_pop(): who sees the count finds the element.
}

WEFT_NOINLINE void* injection::try_pop() noexcept {
  if (count_.load(acquire) <= 0) return nullptr;  // Pairs with push().
  void* element = nullptr;
  if (!queue_->queue.try_dequeue(element)) return nullptr;
  // A count that is too high for a moment costs a worker another look.
  count_.fetch_sub(1, relaxed);
  return element;
}

}  // namespace weft::inline v0::detail
