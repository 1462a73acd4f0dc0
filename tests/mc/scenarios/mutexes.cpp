// The mutex and the condition variable, used by plain threads.
#include "scenario.h"

#include <weft/condition_variable.h>
#include <weft/mutex.h>

#include <mutex>

namespace weft_mc {
namespace {

using namespace std::chrono_literals;

WEFT_SCENARIO(
    "mutex: lets one in at a time",
    [] {
      weft::mutex lock;
      mc::plain<int> inside(0);
      const auto enter = [&] {
        const std::scoped_lock hold(lock);
        inside.set(inside.get() + 1);
      };
      together(enter, enter);
      mc::expect(inside.get() == 2, "both were inside");
    },
    3, 2);

WEFT_SCENARIO(
    "mutex: three",
    [] {
      weft::mutex lock;
      mc::plain<int> inside(0);
      const auto enter = [&] {
        const std::scoped_lock hold(lock);
        inside.set(inside.get() + 1);
      };
      together(enter, enter, enter);
      mc::expect(inside.get() == 3, "all were inside");
    },
    2, 0, 0);

WEFT_SCENARIO(
    "mutex: who is overtaken becomes the next owner",
    [] {
      weft::mutex lock;
      mc::plain<int> inside(0);
      const auto enter = [&] {
        const std::scoped_lock hold(lock);
        inside.set(inside.get() + 1);
      };
      together(
          [&] {
            enter();
            enter();
          },
          [&] { enter(); });
      mc::expect(inside.get() == 3, "all were inside");
    },
    3, 1);

WEFT_SCENARIO(
    "mutex: it is freed for a woken one while another enters the line",
    [] {
      weft::mutex lock;
      mc::plain<int> inside(0);
      const auto enter = [&] {
        const std::scoped_lock hold(lock);
        inside.set(inside.get() + 1);
      };
      together(
          [&] {
            enter();
            enter();
          },
          enter, enter);
      mc::expect(inside.get() == 4, "all were inside");
    },
    3, 0, 0);

WEFT_SCENARIO(
    "mutex: a timeout leaves the line",
    [] {
      weft::mutex lock;
      mc::plain<int> inside(0);
      together(
          [&] {
            const std::scoped_lock hold(lock);
            inside.set(inside.get() + 1);
          },
          [&] {
            if (!lock.try_lock_for(1ms)) return;
            inside.set(inside.get() + 1);
            lock.unlock();
          },
          [&] {
            const std::scoped_lock hold(lock);
            inside.set(inside.get() + 1);
          });
    },
    2, 0);

WEFT_SCENARIO(
    "mutex: a comer takes it while a timeout leaves the line",
    [] {
      weft::mutex lock;
      int inside = 0;
      const auto enter = [&] {
        const std::scoped_lock hold(lock);
        ++inside;
      };
      const auto hurry = [&] {
        if (!lock.try_lock_for(1ms)) return;
        ++inside;
        lock.unlock();
      };
      together(enter, hurry, hurry);
    },
    3, 0, 0);

WEFT_SCENARIO(
    "mutex: its last owner destroys it",
    [] {
      auto* const lock = new weft::mutex;
      int left = 2;
      const auto leave = [&] {
        bool is_last = false;
        {
          lock->lock();
          is_last = --left == 0;
          lock->unlock();
        }
        if (is_last) delete lock;
      };
      together(leave, leave);
    },
    3, 1);

WEFT_SCENARIO(
    "mutex: try_lock beside a waiter",
    [] {
      weft::mutex lock;
      mc::plain<int> inside(0);
      const auto enter = [&] {
        const std::scoped_lock hold(lock);
        inside.set(inside.get() + 1);
      };
      together(enter, enter, [&] {
        if (!lock.try_lock()) return;
        inside.set(inside.get() + 1);
        lock.unlock();
      });
    },
    2, 0);

WEFT_SCENARIO(
    "condition variable: a notify is not lost",
    [] {
      weft::mutex lock;
      weft::condition_variable changed;
      bool is_ready = false;
      together(
          [&] {
            std::unique_lock hold(lock);
            changed.wait(hold, [&] { return is_ready; });
          },
          [&] {
            {
              const std::scoped_lock hold(lock);
              is_ready = true;
            }
            changed.notify_one();
          });
    },
    2, 1);

WEFT_SCENARIO(
    "condition variable: notify_all reaches two",
    [] {
      weft::mutex lock;
      weft::condition_variable changed;
      bool is_ready = false;
      const auto wait = [&] {
        std::unique_lock hold(lock);
        changed.wait(hold, [&] { return is_ready; });
      };
      together(wait, wait, [&] {
        const std::scoped_lock hold(lock);
        is_ready = true;
        changed.notify_all();
      });
    },
    1, 0);

WEFT_SCENARIO(
    "condition variable: who gives up comes back with the lock",
    [] {
      weft::mutex lock;
      weft::condition_variable changed;
      int content = 0;
      together(
          [&] {
            std::unique_lock hold(lock);
            changed.wait_for(hold, 1ms);
            ++content;
          },
          [&] {
            const std::scoped_lock hold(lock);
            ++content;
          });
      mc::expect(content == 2, "both were inside");
    },
    2, 1);

}  // namespace
}  // namespace weft_mc
