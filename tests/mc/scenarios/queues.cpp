// The ring of ready fibers, the inbox and the injection queue.
#include "scenario.h"

#include "scheduler/inbox.h"
#include "scheduler/injection.h"
#include "scheduler/ready_ring.h"

namespace weft_mc {
namespace {

using namespace weft::detail;

struct element : inbox_node {
  mc::plain<int> content;
  int taken = 0;
};

using ring = ready_ring<element, 4>;

struct ring_fixture {
  element elements[8];
  ring mine, other, third;

  bool push(ring& to, int i) {
    elements[i].content.set(i + 1);
    return to.push(&elements[i]);
  }
  void got(element* e) {
    if (e == nullptr) return;
    mc::expect(e->content.get() == e - elements + 1, "an element is whole");
    mc::expect(++e->taken == 1, "an element is taken once");
  }
  void drain(int pushed) {
    for (ring* each : {&mine, &other, &third}) {
      while (element* const e = each->pop()) got(e);
    }
    for (int i = 0; i < pushed; ++i) mc::expect(elements[i].taken == 1, "every element is taken");
  }
};

WEFT_SCENARIO(
    "ring: pop races with a thief for one",
    [] {
      ring_fixture f;
      f.push(f.mine, 0);
      together([&] { f.got(f.mine.pop()); }, [&] { f.got(f.mine.steal_into(f.other)); });
      f.drain(1);
    },
    3, 4);

WEFT_SCENARIO(
    "ring: half of four goes to a thief while the owner pops and pushes",
    [] {
      ring_fixture f;
      for (int i = 0; i < 4; ++i) f.push(f.mine, i);
      together(
          [&] {
            f.got(f.mine.pop());
            if (!f.push(f.mine, 4)) f.got(&f.elements[4]);
          },
          [&] { f.got(f.mine.steal_into(f.other)); });
      f.drain(5);
    },
    2, 2);

WEFT_SCENARIO(
    "ring: two thieves",
    [] {
      ring_fixture f;
      for (int i = 0; i < 3; ++i) f.push(f.mine, i);
      together([&] { f.got(f.mine.steal_into(f.other)); }, [&] { f.got(f.mine.steal_into(f.third)); });
      f.drain(3);
    },
    3, 2);

WEFT_SCENARIO(
    "ring: what was stolen is stolen again",
    [] {
      ring_fixture f;
      for (int i = 0; i < 4; ++i) f.push(f.mine, i);
      together([&] { f.got(f.mine.steal_into(f.other)); }, [&] { f.got(f.other.steal_into(f.third)); },
               [&] { f.got(f.mine.pop()); });
      f.drain(4);
    },
    2, 1, 0);

WEFT_SCENARIO(
    "ring: wraps round under a thief",
    [] {
      ring_fixture f;
      for (int i = 0; i < 4; ++i) f.push(f.mine, i);
      f.got(f.mine.pop());
      f.got(f.mine.pop());
      together(
          [&] {
            if (!f.push(f.mine, 4)) f.got(&f.elements[4]);
            if (!f.push(f.mine, 5)) f.got(&f.elements[5]);
            if (!f.push(f.mine, 6)) f.got(&f.elements[6]);
          },
          [&] { f.got(f.mine.steal_into(f.other)); });
      f.drain(7);
    },
    2, 2);

WEFT_SCENARIO(
    "ring: pushed while a thief looks",
    [] {
      ring_fixture f;
      together(
          [&] {
            f.push(f.mine, 0);
            f.push(f.mine, 1);
          },
          [&] {
            f.got(f.mine.steal_into(f.other));
            f.got(f.mine.steal_into(f.other));
          });
      f.drain(2);
    },
    3, 2);

WEFT_SCENARIO(
    "ring: a thief that sees a late head sees a tail not behind it",
    [] {
      ring_fixture f;
      together(
          [&] {
            f.push(f.mine, 0);
            f.got(f.mine.pop());
            f.push(f.mine, 1);
          },
          [&] { f.got(f.mine.steal_into(f.other)); });
      f.drain(2);
    },
    2, 3);

WEFT_SCENARIO(
    "ring: a thief fills its own ring while it is stolen from",
    [] {
      ring_fixture f;
      for (int i = 0; i < 4; ++i) f.push(f.mine, i);
      f.push(f.other, 4);
      f.push(f.other, 5);
      together([&] { f.got(f.mine.steal_into(f.other)); }, [&] { f.got(f.other.steal_into(f.third)); });
      f.drain(6);
    },
    2, 2);

struct inbox_fixture {
  element elements[4];
  inbox box;

  void push(int i) {
    elements[i].content.set(i + 1);
    box.push(elements[i]);
  }
  void take() {
    for (inbox_node* n = box.take_all(); n != nullptr;) {
      auto* const e = static_cast<element*>(n);
      n = n->next_in_inbox;
      mc::expect(e->content.get() == e - elements + 1, "an element is whole");
      mc::expect(++e->taken == 1, "an element is taken once");
    }
  }
  void finish(int pushed) {
    take();
    for (int i = 0; i < pushed; ++i) mc::expect(elements[i].taken == 1, "every element is taken");
  }
};

WEFT_SCENARIO(
    "inbox: two senders and a taker",
    [] {
      inbox_fixture f;
      together([&] { f.push(0); }, [&] { f.push(1); }, [&] { f.take(); });
      f.finish(2);
    },
    3, 1);

WEFT_SCENARIO(
    "inbox: two takers",
    [] {
      inbox_fixture f;
      f.push(0);
      together([&] { f.push(1); }, [&] { f.take(); }, [&] { f.take(); });
      f.finish(2);
    },
    2, 2);

WEFT_SCENARIO(
    "inbox: a chain and a single",
    [] {
      inbox_fixture f;
      together(
          [&] {
            f.elements[0].content.set(1);
            f.elements[1].content.set(2);
            f.elements[0].next_in_inbox = &f.elements[1];
            f.box.push_chain(f.elements[0], f.elements[1]);
          },
          [&] { f.push(2); }, [&] { f.take(); });
      f.finish(3);
    },
    2, 1);

WEFT_SCENARIO(
    "inbox: an element comes back",
    [] {
      inbox_fixture f;
      mc::plain<int> rounds(0);
      together(
          [&] {
            f.push(0);
            f.push(1);
          },
          [&] {
            for (inbox_node* n = f.box.take_all(); n != nullptr;) {
              inbox_node* const next = n->next_in_inbox;
              f.box.push(*n);
              n = next;
            }
          });
      f.finish(2);
    },
    2, 2);

WEFT_SCENARIO(
    "injection: the count does not hide what was pushed",
    [] {
      const std::unique_ptr<injection> queue = std::make_unique<injection>();
      int elements[2];
      int popped = 0;
      together([&] { queue->push(&elements[0]); }, [&] { queue->push(&elements[1]); },
               [&] {
                 if (queue->maybe_nonempty() && queue->try_pop() != nullptr) ++popped;
               });
      while (queue->maybe_nonempty()) {
        if (queue->try_pop() != nullptr) ++popped;
      }
      mc::expect(popped == 2, "everything is popped");
    },
    2, 2);

WEFT_SCENARIO(
    "injection: what was written before a push is there after the pop",
    [] {
      const std::unique_ptr<injection> queue = std::make_unique<injection>();
      mc::plain<int> content(0);
      together(
          [&] {
            content.set(1);
            queue->push(&content);
          },
          [&] {
            if (void* const e = queue->try_pop()) {
              mc::expect(static_cast<mc::plain<int>*>(e)->get() == 1, "an element is whole");
            }
          });
      while (queue->maybe_nonempty()) queue->try_pop();
    },
    3, 2);

WEFT_SCENARIO(
    "injection: who sees the count finds the element",
    [] {
      const std::unique_ptr<injection> queue = std::make_unique<injection>();
      int elements[1];
      bool is_popped = false;
      together([&] { queue->push(&elements[0]); },
               [&] {
                 if (!queue->maybe_nonempty()) return;
                 is_popped = queue->try_pop() != nullptr;
                 mc::expect(is_popped, "an element for the count");
               });
      if (!is_popped) queue->try_pop();
    },
    3, 2);

}  // namespace
}  // namespace weft_mc
