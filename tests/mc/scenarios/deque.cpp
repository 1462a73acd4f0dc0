// The deque of un-started work: nothing is lost, nothing comes out twice, and what was written into an element before it
// was pushed is there for whoever gets it.
#include "scenario.h"

#include "scheduler/work_deque.h"

namespace weft_mc {
namespace {

using weft::detail::work_deque;

struct element {
  mc::plain<int> content;
  int taken = 0;
};

struct fixture {
  static constexpr int most = 6;
  element elements[most];
  std::unique_ptr<work_deque<element>> deque = std::make_unique<work_deque<element>>(2);

  void push(int i) {
    elements[i].content.set(i + 1);
    deque->push(&elements[i]);
  }
  void got(element* e) {
    if (e == nullptr) return;
    mc::expect(e->content.get() == e - elements + 1, "an element is whole");
    mc::expect(++e->taken == 1, "an element is taken once");
  }
  void drain(int pushed) {
    while (element* const e = deque->pop()) got(e);
    for (int i = 0; i < pushed; ++i) mc::expect(elements[i].taken == 1, "every element is taken");
  }
};

WEFT_SCENARIO(
    "deque: pop and a thief race for the last element",
    [] {
      fixture f;
      f.push(0);
      together([&] { f.got(f.deque->pop()); }, [&] { f.got(f.deque->steal()); });
      f.drain(1);
    },
    3, 4);

WEFT_SCENARIO(
    "deque: pop of two, one thief twice",
    [] {
      fixture f;
      f.push(0);
      f.push(1);
      together(
          [&] {
            f.got(f.deque->pop());
            f.got(f.deque->pop());
          },
          [&] {
            f.got(f.deque->steal());
            f.got(f.deque->steal());
          });
      f.drain(2);
    },
    3, 2);

WEFT_SCENARIO(
    "deque: pop, two thieves, two elements",
    [] {
      fixture f;
      f.push(0);
      f.push(1);
      together([&] { f.got(f.deque->pop()); }, [&] { f.got(f.deque->steal()); }, [&] { f.got(f.deque->steal()); });
      f.drain(2);
    },
    2, 2);

WEFT_SCENARIO(
    "deque: push while a thief looks",
    [] {
      fixture f;
      together(
          [&] {
            f.push(0);
            f.push(1);
            f.got(f.deque->pop());
          },
          [&] {
            f.got(f.deque->steal());
            f.got(f.deque->steal());
          });
      f.drain(2);
    },
    2, 3);

WEFT_SCENARIO(
    "deque: growth at capacity 2 while a thief steals",
    [] {
      fixture f;
      f.push(0);
      f.push(1);
      together(
          [&] {
            f.push(2);
            f.push(3);
            f.got(f.deque->pop());
          },
          [&] {
            f.got(f.deque->steal());
            f.got(f.deque->steal());
          });
      f.drain(4);
    },
    2, 2);

WEFT_SCENARIO(
    "deque: growth, owner and two thieves",
    [] {
      fixture f;
      f.push(0);
      f.push(1);
      together(
          [&] {
            f.push(2);
            f.got(f.deque->pop());
          },
          [&] { f.got(f.deque->steal()); }, [&] { f.got(f.deque->steal()); });
      f.drain(3);
    },
    2, 1, 0);

WEFT_SCENARIO(
    "deque: a slot is used again after a thief has read it",
    [] {
      fixture f;
      f.push(0);
      together(
          [&] {
            f.push(1);
            f.push(2);
            f.push(3);
          },
          [&] {
            f.got(f.deque->steal());
            f.got(f.deque->steal());
          });
      f.drain(4);
    },
    2, 2);

WEFT_SCENARIO(
    "deque: the oldest is taken by the owner or a thief",
    [] {
      fixture f;
      f.push(0);
      f.push(1);
      together(
          [&] {
            f.got(f.deque->take_oldest());
            f.got(f.deque->pop());
          },
          [&] { f.got(f.deque->steal()); });
      f.drain(2);
    },
    3, 2);

WEFT_SCENARIO(
    "deque: an empty pop lowers the bottom, and raises it again",
    [] {
      fixture f;
      f.push(0);
      together(
          [&] {
            f.got(f.deque->pop());
            f.push(1);
            f.got(f.deque->pop());
          },
          [&] {
            f.got(f.deque->steal());
            f.got(f.deque->steal());
          });
      f.drain(2);
    },
    2, 2);

}  // namespace
}  // namespace weft_mc
