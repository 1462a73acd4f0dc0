// The readiness word of a descriptor and the count of its users, with a counter in place of the kernel's buffer.
#include "scenario.h"

#include "reactor/readiness.h"
#include "reactor/slot_table.h"
#include "scheduler/wait.h"

#include <weft/detail/duration.h>

namespace weft_mc {
namespace {

using namespace weft::detail;

struct socket {
  readiness word;
  atomic<std::uint32_t> ticks{0};
  atomic<int> arrived{0};  // What the kernel holds; the call takes it.
  atomic<wait_record*> waits{nullptr};

  void wake(readiness::state before, wake_reason why) {
    if (!before.is_waiting()) return;
    wait_record* const r = waits.load(relaxed);
    const std::uint64_t epoch = wait_word::epoch_of(r->word.load());
    if (before.is_epoch(epoch) && claim({r, epoch}, why)) make_ready(*r);
  }
  // The kernel, and whoever leads the poller: each arrival is an edge.
  void arrive() {
    arrived.fetch_add(1, seq_cst);
    wake(word.report(ticks.fetch_add(1, relaxed) + 1), wake_reason::notified);
  }
  void close() { wake(word.close(), wake_reason::closed); }

  // As descriptor::perform(): one byte, or false once closed.
  bool read() {
    for (;;) {
      const readiness::state seen = word.load();
      if (seen.is_closed()) return false;
      if (seen.is_ready()) {
        if (arrived.load(seq_cst) > 0) {
          arrived.fetch_sub(1, seq_cst);
          return true;
        }
        if (!word.drain(seen)) continue;
      }
      const readiness::state drained = word.load();
      if (!drained.is_drained()) continue;
      const waiter w = begin_wait();
      waits.store(w.record, relaxed);
      if (!word.arm(drained, 1, w.epoch)) {
        retract_wait(w);
        continue;
      }
      finish_wait(w, never);
    }
  }
};

WEFT_SCENARIO(
    "readiness: an event beside a reader that finds nothing is not lost",
    [] {
      socket s;
      together([&] { mc::expect(s.read(), "read"); }, [&] { s.arrive(); });
    },
    3, 1);

WEFT_SCENARIO(
    "readiness: two events, two reads",
    [] {
      socket s;
      together(
          [&] {
            mc::expect(s.read(), "read");
            mc::expect(s.read(), "read");
          },
          [&] {
            s.arrive();
            s.arrive();
          });
    },
    2, 1);

WEFT_SCENARIO(
    "readiness: closed beside a reader",
    [] {
      socket s;
      together([&] { mc::expect(!s.read(), "closed"); }, [&] { s.close(); });
    },
    3, 2);

WEFT_SCENARIO(
    "readiness: an event and a close",
    [] {
      socket s;
      together([&] { (void)s.read(); }, [&] { s.arrive(); }, [&] { s.close(); });
    },
    2, 1);

WEFT_SCENARIO(
    "readiness: a reader of less than it asked for sees that the peer has ended",
    [] {
      readiness word;
      word.reset();
      atomic<bool> half_closed{false};  // As reactor::dispatch() and descriptor::drained() use it.
      atomic<int> arrived{0};
      together(
          [&] {
            arrived.store(1, relaxed);
            half_closed.store(true, relaxed);
            word.report(1);
          },
          [&] {
            const readiness::state seen = word.load();
            if (seen.tick() == 0) return;  // The event is still to come.
            mc::expect(arrived.load(relaxed) == 1, "what has arrived");
            if (!half_closed.load(relaxed)) word.drain(seen);
            mc::expect(word.load().is_ready(), "no other event will say that the stream has ended");
          });
    },
    2, 3);

WEFT_SCENARIO(
    "slot: the last of users and closer closes the number, once",
    [] {
      slot_users users;
      const std::uint32_t generation = users.reopen();
      mc::plain<int> number(0);
      int closes = 0;
      const auto leave = [&] {
        if (!users.leave()) return;
        number.set(-1);
        ++closes;
      };
      together(
          [&] {
            if (!users.enter(generation)) return;
            mc::expect(number.get() == 0, "open while it is used");
            leave();
          },
          [&] {
            if (users.begin_close(generation)) leave();
          },
          [&] {
            if (users.begin_close(generation)) leave();
          });
      mc::expect(closes == 1, "closed once");
    },
    3, 2);

WEFT_SCENARIO(
    "slot: two users and a closer leave at once",
    [] {
      slot_users users;
      const std::uint32_t generation = users.reopen();
      users.enter(generation);
      users.enter(generation);
      users.begin_close(generation);
      atomic<int> closes{0};
      const auto leave = [&] {
        if (users.leave()) closes.fetch_add(1, relaxed);
      };
      together(leave, leave, leave);
      mc::expect(closes.load(relaxed) == 1, "closed once");
    },
    2, 0);

WEFT_SCENARIO(
    "slot: a handle of an earlier descriptor is turned away",
    [] {
      slot_users users;
      const std::uint32_t first = users.reopen();
      mc::plain<int> number(1);
      together(
          [&] {
            if (users.begin_close(first) && users.leave()) {
              users.retire();
              number.set(2);
              users.reopen();
            }
          },
          [&] {
            if (!users.enter(first)) return;
            mc::expect(number.get() == 1, "the descriptor it was made for");
            if (users.leave()) {
              users.retire();
              number.set(2);
              users.reopen();
            }
          });
    },
    3, 2);

}  // namespace
}  // namespace weft_mc
