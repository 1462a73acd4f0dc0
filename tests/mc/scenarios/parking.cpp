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
      } else {
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
      int claims = 0;
      const auto claim = [&] {
        const std::size_t core = idle.core_to_wake(order);
        if (core == idle_cores::nobody) return;
        ++claims;
        mc::expect(!idle.withdraw(core), "claimed is claimed");
        idle.leave_search();
      };
      together(claim, claim);
      mc::expect(idle.parked() == static_cast<std::size_t>(2 - claims) && idle.searching() == 0, "the counts are even");
    },
    3, 2);

}  // namespace
}  // namespace weft_mc
