// Waits of plain threads through the one mechanism, the words it rests upon, and timers.
#include "scenario.h"

#include "scheduler/timers.h"
#include "scheduler/wait.h"
#include "scheduler/wait_list.h"

#include <weft/detail/waitable_word.h>

namespace weft_mc {
namespace {

using namespace weft::detail;

WEFT_SCENARIO(
    "wait word: one of three wakers claims it",
    [] {
      wait_word word;
      const std::uint64_t epoch = word.open(0);
      int claims = 0;
      const auto wake = [&] {
        if (word.claim(epoch)) ++claims;
      };
      together(wake, wake, wake);
      mc::expect(claims == 1, "one claim");
    },
    3, 4);

WEFT_SCENARIO(
    "wait word: an old epoch claims nothing",
    [] {
      wait_word word;
      const std::uint64_t first = word.open(0);
      int late = 0;
      together(
          [&] {
            if (!word.claim(first)) return;  // Retracts its wait, and begins the next one.
            word.open(0);
          },
          [&] {
            if (word.claim(first)) return;
            if (word.claim(first)) ++late;
          });
      mc::expect(late == 0, "nothing late");
    },
    3, 4);

WEFT_SCENARIO(
    "wait word: who sees an epoch sees what was written before it",
    [] {
      wait_word word;
      mc::plain<int> identity(0);
      together(
          [&] {
            identity.set(1);
            word.open(0);
          },
          [&] {
            if (wait_word::epoch_of(word.load()) == 1) mc::expect(identity.get() == 1, "the identity of the wait");
          });
    },
    3, 4);

// An object as the mechanism wants it: a lock, a list, a flag. It is freed as soon as its wait has returned.
struct object {
  waitable_word word;
  wait_list_ends line;
  mc::plain<int> content;
};

void notify(object& o) {
  o.content.set(1);
  const std::uint64_t bits = o.word.lock();
  wait_node* const n = wait_list(o.line).claim_front(wake_reason::notified);
  o.word.unlock(n != nullptr ? bits & ~waitable_word::waited : bits | waitable_word::unit);
  if (n != nullptr) make_ready(*n->who.record);
}

// Returns whether it was notified.
bool wait(object& o, std::int64_t deadline = never) {
  wait_node n;
  n.who = begin_wait();
  std::uint64_t bits = o.word.lock();
  if ((bits & ~waitable_word::marks) != 0) {
    o.word.unlock(bits);
    retract_wait(n.who);
    return true;
  }
  wait_list(o.line).push_back(n);
  o.word.unlock(bits | waitable_word::waited);
  if (finish_wait(n.who, deadline) == wake_reason::notified) return true;
  bits = o.word.lock();
  wait_list list(o.line);
  list.unlink(n);
  o.word.unlock(list.empty() ? bits & ~waitable_word::waited : bits);
  return false;
}

WEFT_SCENARIO(
    "wait record: notified, and the object destroyed at once",
    [] {
      auto* const o = new object;
      together(
          [&] {
            wait(*o);
            mc::expect(o->content.get() == 1, "what was done before the wake is seen");
            delete o;
          },
          [&] { notify(*o); });
    },
    3, 3);

WEFT_SCENARIO(
    "wait record: timeout races with notify",
    [] {
      object o;
      bool notified = false;
      together([&] { notified = wait(o, mc::clock_now() + 10); }, [&] { notify(o); });
      mc::expect(o.line.first == nullptr, "nobody is left in line");
    },
    3, 2);

WEFT_SCENARIO(
    "wait record: two wait, one gives up, one notify reaches the other",
    [] {
      object o;
      bool patient = false;
      bool hasty = false;
      together([&] { patient = wait(o); }, [&] { hasty = wait(o, mc::clock_now() + 10); },
               [&] {
                 notify(o);
                 notify(o);
               });
      mc::expect(patient, "the patient one is notified");
    },
    2, 0, 0);

WEFT_SCENARIO(
    "wait record: a second wait on the same record",
    [] {
      object a, b;
      together(
          [&] {
            wait(a, mc::clock_now() + 10);
            wait(b);
          },
          [&] { notify(a); }, [&] { notify(b); });
    },
    2, 0, 0);

WEFT_SCENARIO(
    "wait record: one wait on two objects is ended once",
    [] {
      object a, b;
      int ended = 0;
      together(
          [&] {
            wait_node in_a, in_b;
            in_a.who = in_b.who = begin_wait();
            const auto join = [](object& o, wait_node& n) {
              const std::uint64_t bits = o.word.lock();
              if ((bits & ~waitable_word::marks) != 0) {
                o.word.unlock(bits);
                return false;
              }
              wait_list(o.line).push_back(n);
              o.word.unlock(bits | waitable_word::waited);
              return true;
            };
            const auto leave = [](object& o, wait_node& n) {
              const std::uint64_t bits = o.word.lock();
              wait_list list(o.line);
              list.unlink(n);
              o.word.unlock(list.empty() ? bits & ~waitable_word::waited : bits);
            };
            if (join(a, in_a) && join(b, in_b)) {
              finish_wait(in_a.who, never);
            } else {
              retract_wait(in_a.who);
            }
            leave(a, in_a);
            leave(b, in_b);
            ++ended;
          },
          [&] { notify(a); }, [&] { notify(b); });
      mc::expect(ended == 1 && a.line.first == nullptr && b.line.first == nullptr, "no node is left behind");
    },
    2, 0, 0);

WEFT_SCENARIO(
    "waitable word: the lock admits one",
    [] {
      waitable_word word;
      mc::plain<int> inside(0);
      const auto enter = [&] {
        const std::uint64_t bits = word.lock();
        inside.set(inside.get() + 1);
        word.unlock(bits + waitable_word::unit);
      };
      together(enter, enter);
      mc::expect(word.load(relaxed) == 2 * waitable_word::unit, "both changed the state");
    },
    3, 2);

WEFT_SCENARIO(
    "waitable word: a comer changes the state beside a holder",
    [] {
      waitable_word word;
      mc::plain<int> content(0);
      together(
          [&] {
            const std::uint64_t bits = word.lock();
            content.set(1);
            word.unlock(bits + waitable_word::unit);
          },
          [&] {
            std::uint64_t seen = word.load(relaxed);
            if ((seen & waitable_word::locked) == 0 && word.change(seen, seen + 2 * waitable_word::unit) &&
                seen == waitable_word::unit) {
              mc::expect(content.get() == 1, "the holder's work is seen");
            }
          });
    },
    3, 3);

// --- Timers ----------------------------------------------------------------------------------------------------------

WEFT_SCENARIO(
    "timers: a timer is disarmed from afar while it fires",
    [] {
      const auto clock = std::make_unique<timers>(0);
      together(
          [&] {
            const waiter w = begin_wait();
            // On the heap: a touch after disarm() is found.
            const auto limit = std::make_unique<wait_timer>(w, 100);
            clock->arm(*limit);
            if (retract_wait(w) != wake_reason::timed_out) clock->disarm(*limit);
          },
          [&] { clock->run_due(200); });
      clock->run_due(300);
    },
    3, 2);

WEFT_SCENARIO(
    "timers: a timer fires or another one cancels",
    [] {
      const auto clock = std::make_unique<timers>(0);
      wake_reason why{};
      atomic<wait_record*> shown{nullptr};
      atomic<int> is_over{0};
      std::uint64_t epoch = 0;
      together(
          [&] {
            const waiter w = begin_wait();
            wait_timer limit(w, 100);
            clock->arm(limit);
            epoch = w.epoch;
            shown.store(w.record, release);
            why = finish_wait(w, never);
            if (why != wake_reason::timed_out) clock->disarm(limit);
            is_over.store(1, relaxed);
          },
          [&] {
            wait_record* const r = shown.load(acquire);
            if (r != nullptr && claim({r, epoch}, wake_reason::cancelled)) make_ready(*r);
          },
          [&] {
            while (clock->run_due(200) == 0 && is_over.load(relaxed) == 0) spin_pause();
          });
      mc::expect(why == wake_reason::timed_out || why == wake_reason::cancelled, "it ended by one of both");
      clock->run_due(300);
    },
    2, 0, 0);

// Fires without a wait to claim.
struct marking : timer_node {
  marking(mc::plain<int>& what, std::int64_t when) : mark(what) {
    deadline = when;
    fire = [](timer_node& self) -> void* {
      static_cast<marking&>(self).mark.set(1);
      return nullptr;
    };
  }
  mc::plain<int>& mark;
};

WEFT_SCENARIO(
    "timers: who sees them done sees what they did",
    [] {
      const auto clock = std::make_unique<timers>(0);
      mc::plain<int> done(0);
      marking due(done, 100), far(done, 1'000'000);
      clock->arm(due);
      clock->arm(far);
      together([&] { clock->run_due(200); }, [&] { clock->disarm(far); },
               [&] {
                 if (clock->is_done()) mc::expect(done.get() == 1, "what was due has fired");
               });
    },
    2, 2);

// Its thread waits for something else by then.
WEFT_SCENARIO(
    "timers: one that comes too late wakes nobody",
    [] {
      const auto clock = std::make_unique<timers>(0);
      waiter first{}, second{};
      wake_reason why = wake_reason::none;
      atomic<int> step{0};
      together(
          [&] {
            first = begin_wait();
            wait_timer limit(first, 100);
            clock->arm(limit);
            step.store(1, release);
            if (finish_wait(first, never) != wake_reason::timed_out) clock->disarm(limit);
            second = begin_wait();
            step.store(2, release);
            why = finish_wait(second, never);
          },
          [&] {
            while (step.load(acquire) < 1) spin_pause();
            if (claim(first, wake_reason::cancelled)) make_ready(*first.record);
            while (step.load(acquire) < 2) spin_pause();
            if (claim(second, wake_reason::notified)) make_ready(*second.record);
          },
          [&] {
            while (step.load(acquire) < 1) spin_pause();
            clock->run_due(200);
          });
      mc::expect(why == wake_reason::notified, "the second wait ended when it was told");
    },
    2, 0, 0);

}  // namespace
}  // namespace weft_mc
