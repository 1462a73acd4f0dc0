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

// The queue orders its blocks by fences, which ThreadSanitizer does not see: it then reports the reuse of a
// block as a race. So there its plain accesses are ignored; its atomics, which order the elements, are not.
#if defined(WEFT_TSAN)
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);

struct unchecked_section {
  unchecked_section() noexcept {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~unchecked_section() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
};
#else
struct unchecked_section {
  unchecked_section() noexcept {}
};
#endif

struct injection::storage {
  bool push(void* element) {
    const unchecked_section unchecked;
    return queue.enqueue(element);
  }
  void* try_pop() noexcept {
    const unchecked_section unchecked;
    void* element = nullptr;
    return queue.try_dequeue(element) ? element : nullptr;
  }

  moodycamel::ConcurrentQueue<void*, queue_traits> queue{0};
};

injection::injection() : queue_(std::make_unique<storage>()) {}
injection::~injection() = default;

// Not inlined: the queue finds the calling thread's producer by the address of a thread_local, which must not
// be kept across a suspension of the caller.
WEFT_NOINLINE void injection::push(void* element) {
  assert(element != nullptr);
  if (!queue_->push(element)) throw std::bad_alloc();
  count_.fetch_add(1, release);  // Pairs with try_pop(): who sees the count finds the element.
}

WEFT_NOINLINE void* injection::try_pop() noexcept {
  if (count_.load(acquire) <= 0) return nullptr;  // Pairs with push().
  void* const element = queue_->try_pop();
  if (element == nullptr) return nullptr;
  // A count that is too high for a moment costs a worker another look.
  count_.fetch_sub(1, relaxed);
  return element;
}

}  // namespace weft::inline v0::detail
