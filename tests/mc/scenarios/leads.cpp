// The production reactor and its slots without a runtime around them: threads of the model poll as a worker does, and
// look at the readiness words themselves.
#include "scenario.h"

#include "mc/shims/kernel_model.h"
#include "model_options.h"
#include "reactor/reactor.h"
#include "scheduler/scheduler.h"

namespace weft_mc {
namespace {

using namespace weft::detail;
using weft::reactor_mode;

// A core that never runs, its reactor, and slots.
class bench {
 public:
  explicit bench(reactor_mode mode = reactor_mode::adaptive)
      : scheduler_((kernel::begin(), model_options()), topology::flat(std::vector<int>{0})),
        slots_(*new slot_table(scheduler_)),
        lead(*scheduler_.cores[0], slots_, mode) {}
  ~bench() { slots_.abandon(); }

  slot& open(const socket& s) {
    slot& taken = *slots_.take();
    taken.fd = s.fd;
    taken.users.reopen();
    return taken;
  }

 private:
  scheduler scheduler_;
  slot_table& slots_;

 public:
  reactor lead;
};

bool is_ready(slot& s) { return s.of(direction::read).load().tick() != 0; }

WEFT_SCENARIO(
    "lead: stopped beside a call to stand in",
    [] {
      bench b;
      b.lead.start([] {});
      together([&] { b.lead.stand_in(); });
      b.lead.stop();
    },
    3, 2, 1, 0, true);

WEFT_SCENARIO(
    "lead: stopped while it leads for good",
    [] {
      bench b(reactor_mode::dedicated);
      b.lead.start([] {});
      b.lead.stop();
    },
    3, 2, 1, 0, true);

WEFT_SCENARIO(
    "lead: two poll, one leads, and no event is lost",
    [] {
      bench b(reactor_mode::inlined);
      const socket peer = kernel::open_socket();
      slot& s = b.open(peer);
      mc::expect(b.lead.add(s) == 0, "added");
      const auto poll = [&] { b.lead.poll(); };
      together(poll, poll, [&] { kernel::arrive(peer, 1); });
      b.lead.poll();
      mc::expect(is_ready(s), "the event is reported");
    },
    2, 0, 1, 0, true);

WEFT_SCENARIO(
    "lead: a worker polls, a stand-in leads in between",
    [] {
      bench b;
      const socket peer = kernel::open_socket();
      slot& s = b.open(peer);
      mc::expect(b.lead.add(s) == 0, "added");
      b.lead.start([] {});
      together(
          [&] {
            while (b.lead.poll(), !is_ready(s)) spin_pause();
          },
          [&] {
            b.lead.stand_in();
            kernel::arrive(peer, 1);
          });
      b.lead.stop();
    },
    1, 1, 1, 0, true);

WEFT_SCENARIO(
    "lead: a stand-in takes what nobody polls for",
    [] {
      bench b;
      const socket peer = kernel::open_socket();
      slot& s = b.open(peer);
      mc::expect(b.lead.add(s) == 0, "added");
      b.lead.start([] {});
      kernel::arrive(peer, 1);
      while (!is_ready(s)) {  // As the monitor, which asks at every tick.
        b.lead.stand_in();
        spin_pause();
      }
      b.lead.stop();
    },
    2, 2, 1, 0, true);

WEFT_SCENARIO(
    "lead: the worker parks behind a stand-in",
    [] {
      bench b;
      const socket peer = kernel::open_socket();
      slot& s = b.open(peer);
      mc::expect(b.lead.add(s) == 0, "added");
      b.lead.start([] {});
      together([&] { b.lead.park(never); },
               [&] {
                 b.lead.stand_in();
                 kernel::arrive(peer, 1);
               });
      b.lead.stop();
      b.lead.poll();
      mc::expect(is_ready(s), "the event is reported");
    },
    1, 1, 1, 0, true);

WEFT_SCENARIO(
    "slots: descriptors come and go on two threads",
    [] {
      bench b(reactor_mode::inlined);
      const socket one = kernel::open_socket();
      const socket other = kernel::open_socket();
      slot& mine = b.open(one);
      slot& yours = b.open(other);
      mc::expect(b.lead.add(mine) == 0, "added");
      together([&] { b.lead.remove(mine); }, [&] { b.lead.add(yours); });
      mc::expect(b.lead.has_descriptors(), "one is left");
      b.lead.remove(yours);
      mc::expect(!b.lead.has_descriptors(), "none is left");
    },
    3, 2, 1, 0, true);

WEFT_SCENARIO(
    "slots: two threads take and give",
    [] {
      bench b(reactor_mode::inlined);
      slot_table& slots = b.lead.slots();
      const auto use = [&] {
        slot* const s = slots.take();
        mc::expect(s->fd == -1, "nobody uses it");
        s->fd = 1;
        s->fd = -1;
        slots.give(*s);
      };
      together(use, use);
      mc::expect(slots.open() == 0, "all were given back");
    },
    3, 2, 1, 0, true);

WEFT_SCENARIO(
    "slots: handles come and go on two threads",
    [] {
      bench b(reactor_mode::inlined);
      slot_table& slots = b.lead.slots();
      const auto pass = [&] {
        slots.hold();
        slots.let_go();
      };
      together(pass, pass);
      slots.give(*slots.take());
    },
    2, 0, 1, 0, true);

WEFT_SCENARIO(
    "slots: a descriptor is closed beside the end of its runtime",
    [] {
      auto b = std::make_unique<bench>(reactor_mode::inlined);
      const socket peer = kernel::open_socket();
      slot_table& slots = b->lead.slots();
      slots.hold();
      slot& s = b->open(peer);
      s.registered.store(&b->lead, relaxed);
      mc::expect(b->lead.add(s) == 0, "added");
      together(
          [&] {
            slots.deregister(s, false);
            slots.give(s);
            slots.let_go();
          },
          [&] { b.reset(); });
    },
    2, 1, 1, 0, true);

}  // namespace
}  // namespace weft_mc
