// Cancelling a blocking call at each of its phases: before it, while it registers and leaves, while it waits, while it
// is being woken, after it. Whatever the moment, it has either happened or thrown, and nothing is lost in between.
#pragma once

#include "support/with_cores.h"

#include <atomic>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace weft_test {

// One call that blocks, about to be made.
struct blocking_call {
  std::function<void()> call;                // On a fiber; once.
  std::function<bool()> wake;                // Lets the call happen; by anyone, until it says true.
  std::function<void(bool happened)> check;  // On a fiber, after all is over: what there was is still there.
  bool happens_by_itself = false;            // Sooner or later, without wake().
};

struct named_call {
  const char* name;
  std::function<blocking_call()> make;
};

enum class cancel_phase { before, entering, waiting, waking, after };
inline constexpr cancel_phase every_phase[] = {cancel_phase::before, cancel_phase::entering, cancel_phase::waiting,
                                               cancel_phase::waking, cancel_phase::after};
inline constexpr const char* phase_names[] = {"before", "entering", "waiting", "waking", "after"};

inline void idle_for(std::uint64_t turns) {
  for (std::uint64_t i = 0; i < turns; ++i) weft::detail::spin_pause();
}

// A plain thread that does things while the calling fiber does others.
class companion_thread {
 public:
  companion_thread() : thread_([this] { serve(); }) {}
  ~companion_thread() {
    begin(nullptr);
    thread_.join();
  }
  companion_thread(const companion_thread&) = delete;
  companion_thread& operator=(const companion_thread&) = delete;

  void begin(std::function<void()> work) {
    work_ = std::move(work);
    state_ = has_work;
    state_.notify_one();
  }
  void finish() {
    EXPECT_TRUE(yield_until([this] { return state_ == idle; }));
  }

 private:
  static constexpr int idle = 0, has_work = 1;

  void serve() {
    for (;;) {
      state_.wait(idle);
      if (work_ == nullptr) return;
      work_();
      state_ = idle;
    }
  }

  std::function<void()> work_;
  std::atomic<int> state_{idle};
  std::thread thread_;
};

class cancel_storm {
 public:
  explicit cancel_storm(std::uint64_t seed) : random_(seed) {}

  // One round: makes the call, cancels it in the given phase, and checks what has become of it.
  void round(const named_call& what, cancel_phase when) {
    const blocking_call it = what.make();
    victim_state state;
    const bool starts_here = when == cancel_phase::waiting || when == cancel_phase::waking;
    auto victim = starts_here ? start_waiting(it, state) : weft::spawn([&] { live(it, state, when); });
    cancel(victim, it, state, when);
    EXPECT_TRUE(yield_until([&] { return try_to_wake(it, state); }));
    bool ended_well = false;
    try {
      victim.join();
      ended_well = true;
    } catch (const weft::join_cancelled&) {
    }
    EXPECT_EQ(ended_well, state.happened);
    it.check(state.happened);
    // No SCOPED_TRACE: it keeps its text with the thread, and we may have moved.
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << what.name << ", cancelled " << phase_names[static_cast<int>(when)];
    }
  }

 private:
  struct victim_state {
    std::atomic<bool> began{false};
    std::atomic<bool> is_cancelled{false};
    std::atomic<bool> is_over{false};
    bool is_woken = false;  // Whoever wakes, one after the other.
    bool happened = false;
  };

  static void live(const blocking_call& it, victim_state& state, cancel_phase when) {
    struct ending {
      victim_state& state;
      ~ending() { state.is_over = true; }
    } const at_end{state};
    state.began = true;
    if (when == cancel_phase::before) {
      weft::shield([&] { EXPECT_TRUE(yield_until([&] { return state.is_cancelled.load(); })); });
    }
    it.call();
    state.happened = true;
  }

  // Fibers of one core take turns only where they suspend: once it has begun, it waits.
  static weft::fiber<void> start_waiting(const blocking_call& it, victim_state& state) {
    const weft::pin_guard stay;
    auto victim = weft::spawn({.core = weft::this_fiber::core()}, [&] { live(it, state, cancel_phase::waiting); });
    EXPECT_TRUE(yield_until([&] { return state.began.load(); }));
    return victim;
  }

  // At least one attempt; more of them while the call goes on.
  static bool try_to_wake(const blocking_call& it, victim_state& state) {
    if (!state.is_woken) state.is_woken = it.wake();
    return state.is_woken || state.is_over;
  }

  void cancel(weft::fiber<void>& victim, const blocking_call& it, victim_state& state, cancel_phase when) {
    switch (when) {
      case cancel_phase::before:
        EXPECT_TRUE(yield_until([&] { return state.began.load(); }));
        victim.cancel();
        state.is_cancelled = true;
        break;
      case cancel_phase::entering:
        companion_.begin([&, turns = random_() % 400] {
          while (!state.began) weft::detail::spin_pause();
          idle_for(turns);
          victim.cancel();
        });
        companion_.finish();
        break;
      case cancel_phase::waiting:
        victim.cancel();
        EXPECT_TRUE(yield_until([&] { return state.is_over.load(); }));
        EXPECT_TRUE(it.happens_by_itself || !state.happened);
        break;
      case cancel_phase::waking: {
        companion_.begin([&, turns = random_() % 400] {
          idle_for(turns);
          while (!try_to_wake(it, state)) std::this_thread::yield();
        });
        idle_for(random_() % 800);
        victim.cancel();
        companion_.finish();
        break;
      }
      case cancel_phase::after:
        EXPECT_TRUE(yield_until([&] { return try_to_wake(it, state) && state.is_over; }));
        victim.cancel();
        EXPECT_TRUE(state.happened);
        break;
    }
  }

  std::mt19937_64 random_;
  companion_thread companion_;
};

}  // namespace weft_test
