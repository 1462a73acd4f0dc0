// The parking protocol between cores: the production counters, with the queue and the note of each core in short.
#include "scenario.h"

#include "platform/futex.h"
#include "scheduler/idle_cores.h"

#include <weft/detail/duration.h>

#include <array>
#include <memory>

namespace weft_mc {
namespace {

using namespace weft::detail;

constexpr std::uint32_t awake = 0, asleep = 1, notified = 2;

template <std::size_t Cores>
struct house {
  idle_cores idle{Cores};
  atomic<int> work{0};
  atomic<int> done{0};
  std::array<atomic<std::uint32_t>, Cores> notes{};
  static constexpr std::array<std::uint16_t, 3> order{0, 1, 2};

  std::span<const std::uint16_t> all() const { return std::span(order).first(Cores); }

  void kick(std::size_t core) {
    full_fence();
    std::uint32_t seen = notes[core].load(relaxed);
    do {
      if (seen == awake || seen == notified) return;
    } while (!notes[core].compare_exchange_weak(seen, notified, acq_rel, relaxed));
    futex_wake(notes[core], 1);
  }
  void wake_one() {
    const std::size_t sleeper = idle.core_to_wake(all());
    if (sleeper != idle_cores::nobody) kick(sleeper);
  }
  void submit() {
    work.fetch_add(1, relaxed);
    wake_one();
  }
  bool take() {
    int seen = work.load(relaxed);
    while (seen > 0) {
      if (work.compare_exchange_strong(seen, seen - 1, relaxed, relaxed)) {
        done.fetch_add(1, relaxed);
        return true;
      }
    }
    return false;
  }
  // As scheduler_loop: until `until` pieces of work are done by all.
  void run(std::size_t core, int until) {
    bool is_counted = false;
    for (;;) {
      if (done.load(seq_cst) >= until) {
        if (is_counted && idle.leave_search() && work.load(relaxed) > 0) wake_one();
        return finish();
      }
      bool found = false;
      if (is_counted || idle.enter_search()) {
        found = take();
        if (idle.leave_search() && work.load(relaxed) > 0) wake_one();
      }
      is_counted = false;
      if (found) continue;
      notes[core].exchange(asleep, acq_rel);
      idle.announce(core);
      if (work.load(relaxed) <= 0 && done.load(relaxed) < until) {
        while (notes[core].load(acquire) == asleep) futex_wait(notes[core], asleep, never);
      } else if (done.load(relaxed) < until) {
        spin_pause();  // A submitter that is counted as searching keeps others from it until it goes on.
      }
      notes[core].exchange(awake, acq_rel);
      is_counted = !idle.withdraw(core);
    }
  }
  // The end of the run is told as scheduler::stop() tells it.
  void finish() {
    for (std::size_t core = 0; core < Cores; ++core) kick(core);
  }
};

WEFT_SCENARIO(
    "parking: one core and a foreign thread",
    [] {
      house<1> h;
      together([&] { h.run(0, 1); }, [&] { h.submit(); });
    },
    3, 2, 0);

WEFT_SCENARIO(
    "parking: one core, two submissions",
    [] {
      house<1> h;
      together([&] { h.run(0, 2); }, [&] { h.submit(); }, [&] { h.submit(); });
    },
    2, 1, 0);

WEFT_SCENARIO(
    "parking: two cores and a foreign thread",
    [] {
      house<2> h;
      together([&] { h.run(0, 1); }, [&] { h.run(1, 1); }, [&] { h.submit(); });
    },
    0, 0, 0, 20'000);

WEFT_SCENARIO(
    "parking: a submitter claims a core that wakes by itself",
    [] {
      idle_cores idle(1);
      constexpr std::array<std::uint16_t, 1> order{0};
      bool withdrew = false;
      std::size_t claimed = idle_cores::nobody;
      together(
          [&] {
            idle.announce(0);
            withdrew = idle.withdraw(0);
            if (!withdrew) idle.leave_search();
          },
          [&] { claimed = idle.core_to_wake(order); });
      mc::expect(withdrew == (claimed == idle_cores::nobody), "one of both cleared the bit");
      mc::expect(idle.parked() == 0 && idle.searching() == 0, "the counts are even");
    },
    3, 3);

WEFT_SCENARIO(
    "parking: two submitters claim two cores",
    [] {
      idle_cores idle(2);
      constexpr std::array<std::uint16_t, 2> order{0, 1};
      idle.announce(0);
      idle.announce(1);
      atomic<int> claims{0};
      const auto claim = [&] {
        const std::size_t core = idle.core_to_wake(order);
        if (core == idle_cores::nobody) return;
        claims.fetch_add(1, relaxed);
        mc::expect(!idle.withdraw(core), "claimed is claimed");
        idle.leave_search();
      };
      together(claim, claim);
      mc::expect(idle.parked() == static_cast<std::size_t>(2 - claims.load(relaxed)) && idle.searching() == 0,
                 "the counts are even");
    },
    3, 2);

// What is published is taken, or a core is woken for it, or nobody sleeps.
struct errand {
  explicit errand(std::size_t cores) : idle(cores) {}

  idle_cores idle;
  atomic<int> work{0};
  atomic<int> woken{0};
  static constexpr std::array<std::uint16_t, 2> order{0, 1};

  void wake_one(std::size_t cores) {
    if (idle.core_to_wake(std::span(order).first(cores)) != idle_cores::nobody) woken.fetch_add(1, relaxed);
  }
  void submit(std::size_t cores) {
    work.fetch_add(1, relaxed);
    wake_one(cores);
  }
};

WEFT_SCENARIO(
    "parking: a submitter relies on a searcher that finds nothing",
    [] {
      errand e(2);
      e.idle.announce(1);
      bool took = false;
      together(
          [&] {
            if (!e.idle.enter_search()) return;
            took = e.work.load(relaxed) > 0;
            if (e.idle.leave_search() && !took && e.work.load(relaxed) > 0) e.wake_one(2);
          },
          [&] { e.submit(2); });
      mc::expect(took || e.woken.load(relaxed) != 0, "somebody knows of the work");
    },
    3, 3);

WEFT_SCENARIO(
    "parking: two search, the last one looks again",
    [] {
      errand e(5);
      e.idle.announce(1);
      atomic<int> took{0};
      const auto search = [&] {
        if (!e.idle.enter_search()) return;
        const bool found = e.work.load(relaxed) > 0;
        if (found) took.fetch_add(1, relaxed);
        if (e.idle.leave_search() && !found && e.work.load(relaxed) > 0) e.wake_one(2);
      };
      together(search, search, [&] { e.submit(2); });
      mc::expect(took.load(relaxed) != 0 || e.woken.load(relaxed) != 0, "somebody knows of the work");
      mc::expect(e.idle.searching() == static_cast<std::size_t>(e.woken.load(relaxed)), "the counts are even");
    },
    2, 2);

WEFT_SCENARIO(
    "parking: two cores announce and withdraw",
    [] {
      idle_cores idle(2);
      const auto nap = [&](std::size_t core) {
        idle.announce(core);
        mc::expect(idle.withdraw(core), "nobody claims");
      };
      together([&] { nap(0); }, [&] { nap(1); });
      mc::expect(idle.parked() == 0 && idle.searching() == 0, "the counts are even");
    },
    3, 2);

WEFT_SCENARIO(
    "parking: a submitter finds nobody beside a searcher",
    [] {
      idle_cores idle(5);
      constexpr std::array<std::uint16_t, 1> others{0};
      idle.announce(1);  // Parked, but for other work.
      together(
          [&] {
            if (idle.enter_search()) idle.leave_search();
          },
          [&] { mc::expect(idle.core_to_wake(others) == idle_cores::nobody, "nobody to wake"); });
      mc::expect(idle.searching() == 0, "the counts are even");
    },
    3, 2);

WEFT_SCENARIO(
    "parking: a submitter relies on another one that finds nobody",
    [] {
      errand e(2);
      e.idle.announce(1);  // Parked, but for other work: the first submitter does not look at it.
      bool sleeps = false;
      together([&] { e.wake_one(1); }, [&] { e.submit(1); },
               [&] {
                 e.idle.announce(0);
                 sleeps = e.work.load(relaxed) == 0;
               });
      mc::expect(!sleeps || e.woken.load(relaxed) != 0, "who sleeps is woken");
    },
    2, 2);

WEFT_SCENARIO(
    "parking: who parks beside a submitter that finds nobody is seen",
    [] {
      errand e(1);
      e.idle.announce(0);
      bool sleeps = false;
      std::size_t left = 0;
      together(
          [&] {
            if (!e.idle.withdraw(0)) {  // Claimed, and so awake: it finds what there is.
              e.idle.leave_search();
              left = 1;
              return;
            }
            e.idle.announce(0);
            sleeps = e.work.load(relaxed) < 2;
          },
          [&] { e.submit(1); }, [&] { e.submit(1); });
      mc::expect(!sleeps || e.woken.load(relaxed) != 0, "who sleeps is woken");
      mc::expect(e.idle.searching() + left == static_cast<std::size_t>(e.woken.load(relaxed)), "the counts are even");
    },
    2, 1);

}  // namespace
}  // namespace weft_mc
