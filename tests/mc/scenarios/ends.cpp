// Completions, waited for by plain threads.
#include "scenario.h"

#include "scheduler/completion.h"
#include "scheduler/wait.h"

#include <weft/detail/duration.h>

namespace weft_mc {
namespace {

using namespace weft::detail;

bool wait_for(completion& end, std::int64_t deadline = never) {
  while (!end.done()) {
    wait_node n;
    n.who = begin_wait();
    if (!end.add(n)) {
      retract_wait(n.who);
      end.remove(n);
      continue;
    }
    if (finish_wait(n.who, deadline) == wake_reason::notified) continue;
    end.remove(n);
    return end.done();
  }
  return true;
}

WEFT_SCENARIO(
    "completion: its result is seen, and it may go at once",
    [] {
      auto* const end = new completion;
      mc::plain<int> result(0);
      together(
          [&] {
            result.set(1);
            end->finish();
          },
          [&] {
            wait_for(*end);
            mc::expect(result.get() == 1, "the result");
            delete end;
          });
    },
    3, 2);

WEFT_SCENARIO(
    "completion: done() alone publishes the result",
    [] {
      completion end;
      mc::plain<int> result(0);
      together(
          [&] {
            result.set(1);
            end.finish();
          },
          [&] {
            if (end.done()) mc::expect(result.get() == 1, "the result");
          });
    },
    3, 3);

WEFT_SCENARIO(
    "completion: two wait",
    [] {
      completion end;
      mc::plain<int> result(0);
      const auto wait = [&] {
        wait_for(end);
        mc::expect(result.get() == 1, "the result");
      };
      together(wait, wait, [&] {
        result.set(1);
        end.finish();
      });
    },
    2, 0, 0);

WEFT_SCENARIO(
    "completion: a timeout leaves while it finishes",
    [] {
      completion end;
      together([&] { wait_for(end, mc::clock_now() + 5); }, [&] { end.finish(); });
    },
    3, 2);

WEFT_SCENARIO(
    "completion: one of two waiters leaves",
    [] {
      completion end;
      bool patient = false;
      together([&] { patient = wait_for(end); }, [&] { wait_for(end, mc::clock_now() + 5); }, [&] { end.finish(); });
      mc::expect(patient, "who stays is woken");
    },
    2, 0, 0);

}  // namespace
}  // namespace weft_mc
