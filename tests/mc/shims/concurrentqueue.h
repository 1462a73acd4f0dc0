// Stands in for moodycamel's queue under the model checker: in order for each pushing thread only, and a failed look
// proves nothing, as that queue says of itself.
#pragma once

#include <weft/mc/blocking.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>

#include <array>
#include <cstddef>
#include <deque>

namespace moodycamel {

struct ConcurrentQueueDefaultTraits {};

template <class T, class Traits>
class ConcurrentQueue {
 public:
  explicit ConcurrentQueue(std::size_t) {}

  bool enqueue(T element) {
    const weft::mc::engine_scope in_engine;
    weft::mc::execution& e = *weft::mc::execution::current();
    const auto me = static_cast<std::size_t>(weft::mc::current_thread());
    e.point(true);
    e.tick();
    line& mine = lines_[me];
    mine.waiting.push_back({element, e.self().memory.now});
    e.note("enqueues");
    return true;
  }

  bool try_dequeue(T& out) {
    const weft::mc::engine_scope in_engine;
    weft::mc::execution& e = *weft::mc::execution::current();
    e.point(true);
    for (line& each : lines_) {
      if (each.waiting.empty()) continue;
      // An element of another thread may not be seen yet, unless it is known of in another way.
      const bool is_known = e.self().memory.now.clock.covers(
          static_cast<std::size_t>(&each - lines_.data()),
          each.waiting.front().known.clock.of[static_cast<std::size_t>(&each - lines_.data())]);
      if (!is_known && e.choose(weft::mc::choice_kind::failure, 2) == 1) continue;
      out = each.waiting.front().element;
      e.self().memory.now.join(each.waiting.front().known);
      each.waiting.pop_front();
      e.note("dequeues");
      return true;
    }
    e.note("finds nothing in the queue");
    return false;
  }

 private:
  struct entry {
    T element;
    weft::mc::knowledge known;
  };
  struct line {
    std::deque<entry> waiting;
  };
  std::array<line, weft::mc::most_threads> lines_;
};

}  // namespace moodycamel
