// The objects that fibers and threads wait on, used by plain threads.
#include "scenario.h"

#include <weft/event.h>
#include <weft/latch.h>
#include <weft/once.h>
#include <weft/semaphore.h>
#include <weft/shared_mutex.h>

#include <mutex>
#include <shared_mutex>

namespace weft_mc {
namespace {

using namespace std::chrono_literals;

WEFT_SCENARIO(
    "semaphore: hands out no more than it has",
    [] {
      weft::semaphore permits(1);
      mc::plain<int> inside(0);
      const auto enter = [&] {
        permits.acquire();
        inside.set(inside.get() + 1);
        permits.release();
      };
      together(enter, enter);
      mc::expect(inside.get() == 2, "both were inside");
    },
    3, 1);

WEFT_SCENARIO(
    "semaphore: a timeout lets those behind it through",
    [] {
      weft::semaphore permits(1);
      bool served = false;
      together(
          [&] {
            if (permits.try_acquire_for(1ms)) permits.release();
          },
          [&] {
            permits.acquire();
            served = true;
            permits.release();
          });
      mc::expect(served, "served");
    },
    3, 1);

WEFT_SCENARIO(
    "semaphore: release reaches a waiter",
    [] {
      weft::semaphore permits(0);
      mc::plain<int> content(0);
      together(
          [&] {
            permits.acquire();
            mc::expect(content.get() == 1, "what was done before the release is seen");
          },
          [&] {
            content.set(1);
            permits.release();
          });
    },
    3, 2);

WEFT_SCENARIO(
    "event: set reaches two, and what was before it is seen",
    [] {
      weft::event happened;
      mc::plain<int> content(0);
      const auto wait = [&] {
        happened.wait();
        mc::expect(content.get() == 1, "what was done before set() is seen");
      };
      together(wait, wait, [&] {
        content.set(1);
        happened.set();
      });
    },
    2, 0, 0);

WEFT_SCENARIO(
    "event: a timeout beside set",
    [] {
      weft::event happened;
      together([&] { (void)happened.wait_for(1ms); }, [&] { happened.set(); });
    },
    2, 1);

WEFT_SCENARIO(
    "event: cleared beside a waiter, then set again",
    [] {
      weft::event happened;
      together([&] { happened.wait(); },
               [&] {
                 happened.set();
                 happened.clear();
                 happened.set();
               });
    },
    2, 1);

WEFT_SCENARIO(
    "auto_reset_event: one set, one passes",
    [] {
      weft::auto_reset_event turn;
      mc::plain<int> content(0);
      const auto pass = [&] {
        turn.wait();
        content.set(content.get() + 1);
        turn.set();
      };
      together(pass, pass, [&] { turn.set(); });
      mc::expect(content.get() == 2, "both passed");
    },
    2, 0, 0);

WEFT_SCENARIO(
    "latch: the last arrival opens it",
    [] {
      weft::latch all(2);
      mc::plain<int> one(0), two(0);
      together(
          [&] {
            one.set(1);
            all.count_down();
          },
          [&] {
            two.set(1);
            all.count_down();
          },
          [&] {
            all.wait();
            mc::expect(one.get() + two.get() == 2, "what was done before the count is seen");
          });
    },
    2, 0, 0);

WEFT_SCENARIO(
    "shared_mutex: a writer is alone",
    [] {
      weft::shared_mutex lock;
      mc::plain<int> content(0);
      const auto read = [&] {
        const std::shared_lock hold(lock);
        (void)content.get();
      };
      together(read, [&] {
        const std::scoped_lock hold(lock);
        content.set(content.get() + 1);
      });
    },
    3, 1);

WEFT_SCENARIO(
    "shared_mutex: two writers and a reader",
    [] {
      weft::shared_mutex lock;
      mc::plain<int> content(0);
      const auto write = [&] {
        const std::scoped_lock hold(lock);
        content.set(content.get() + 1);
      };
      together(write, write, [&] {
        const std::shared_lock hold(lock);
        (void)content.get();
      });
    },
    2, 0);

WEFT_SCENARIO(
    "once: one calls, the others wait for it",
    [] {
      weft::once_flag flag;
      mc::plain<int> content(0);
      const auto call = [&] {
        weft::call_once(flag, [&] { content.set(content.get() + 1); });
        mc::expect(content.get() == 1, "called once, and seen");
      };
      together(call, call);
    },
    3, 1);

}  // namespace
}  // namespace weft_mc
