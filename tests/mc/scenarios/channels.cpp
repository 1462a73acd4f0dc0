// Channels, select and futures, used by plain threads.
#include "scenario.h"

#include <weft/channel.h>
#include <weft/future.h>
#include <weft/promise.h>
#include <weft/select.h>

namespace weft_mc {
namespace {

using namespace std::chrono_literals;

template <std::size_t Capacity>
void one_value() {
  weft::channel<int> c(Capacity);
  mc::plain<int> content(0);
  int got = 0;
  together(
      [&] {
        content.set(1);
        c.send(7);
      },
      [&] {
        got = c.receive().value();
        mc::expect(content.get() == 1, "what was done before the send is seen");
      });
  mc::expect(got == 7, "the value");
}

WEFT_SCENARIO("channel: rendezvous", &one_value<0>, 3, 2);
WEFT_SCENARIO("channel: a buffer of one", &one_value<1>, 3, 2);

WEFT_SCENARIO(
    "channel: two senders, one receiver, a buffer of one",
    [] {
      weft::channel<int> c(1);
      int sum = 0;
      together([&] { c.send(1); }, [&] { c.send(2); }, [&] { sum = c.receive().value() + c.receive().value(); });
      mc::expect(sum == 3, "both values");
    },
    2, 0);

WEFT_SCENARIO(
    "channel: two receivers, one sender",
    [] {
      weft::channel<int> c(0);
      int a = 0, b = 0;
      together([&] { a = c.receive().value(); }, [&] { b = c.receive().value(); },
               [&] {
                 c.send(1);
                 c.send(2);
               });
      mc::expect(a + b == 3 && a != b, "each got one");
    },
    2, 0, 0);

WEFT_SCENARIO(
    "channel: closed while a receiver waits",
    [] {
      weft::channel<int> c(0);
      bool is_closed = false;
      together([&] { is_closed = !c.receive().has_value(); }, [&] { c.close(); });
      mc::expect(is_closed, "the receiver is told");
    },
    2, 1);

WEFT_SCENARIO(
    "channel: a receiver gives up beside a sender",
    [] {
      weft::channel<int> c(1);
      std::optional<int> got;
      together([&] { got = c.receive_for(1ms); }, [&] { c.send(1); });
      if (!got) mc::expect(c.try_receive().has_value(), "the value is in one place");
    },
    3, 1);

WEFT_SCENARIO(
    "select: two channels, one value each, one is taken",
    [] {
      weft::channel<int> a(1), b(1);
      int got = 0;
      together(
          [&] {
            weft::select(weft::on_receive(a, [&](std::optional<int> v) { got = v.value_or(0); }),
                         weft::on_receive(b, [&](std::optional<int> v) { got = v.value_or(0); }));
          },
          [&] { a.send(1); }, [&] { b.send(2); });
      mc::expect((got == 1) != a.try_receive().has_value(), "a gave its value or has it");
      mc::expect((got == 2) != b.try_receive().has_value(), "b gave its value or has it");
    },
    2, 0);

WEFT_SCENARIO(
    "future: set before, while, or after it is waited for",
    [] {
      weft::promise<int> p;
      weft::future<int> f = p.get_future();
      int got = 0;
      together([&] { got = f.get(); }, [&] { p.set_value(3); });
      mc::expect(got == 3, "the value");
    },
    3, 1);

WEFT_SCENARIO(
    "future: the last of both sides frees what they share",
    [] {
      auto p = std::make_unique<weft::promise<int>>();
      auto f = std::make_unique<weft::future<int>>(p->get_future());
      together(
          [&] {
            p->set_value(3);
            p.reset();
          },
          [&] {
            if (f->done()) mc::expect(f->get() == 3, "the value");
            f.reset();
          });
    },
    3, 2);

WEFT_SCENARIO(
    "future: a promise is broken beside a callback whose future goes",
    [] {
      auto p = std::make_unique<weft::promise<int>>();
      weft::future<int> f = p->get_future();
      int called = 0;
      together([&] { p.reset(); },
               [&] {
                 f.on_done([&called] { ++called; });
                 f = weft::future<int>();
               });
      mc::expect(called == 1, "the callback is called");
    },
    3, 2);

WEFT_SCENARIO(
    "future: copies are counted",
    [] {
      auto p = std::make_unique<weft::promise<int>>();
      weft::shared_future<int> f = p->get_future().share();
      const auto copy = [&] { weft::shared_future<int> mine = f; };
      together(copy, copy);
      p->set_value(1);
      p.reset();
      mc::expect(f.get() == 1, "the value");
    },
    3, 1);

WEFT_SCENARIO(
    "future: of two that set it, one does",
    [] {
      weft::promise<int> p;
      weft::future<int> f = p.get_future();
      bool a = false, b = false;
      together([&] { a = p.set_result(1); }, [&] { b = p.set_result(2); });
      mc::expect(a != b, "one of them");
      mc::expect(f.get() == (a ? 1 : 2), "its value");
    },
    3, 2);

// Its copies begin with a write to it, and end there if it is broken.
struct fragile {
  explicit fragile(bool is_whole) : content(is_whole ? 1 : 0) {}
  fragile(const fragile& other) : content(other.content) {
    if (content == 0) throw 1;
  }
  int content;
};

WEFT_SCENARIO(
    "future: one producer throws, another one sets it",
    [] {
      weft::promise<fragile> p;
      weft::future<fragile> f = p.get_future();
      bool is_set = false;
      together(
          [&] {
            try {
              p.set_result(fragile(false));
            } catch (int) {
            }
          },
          [&] { is_set = p.set_result(fragile(true)); });
      if (is_set) mc::expect(f.get().content == 1, "the value");
    },
    3, 2);

WEFT_SCENARIO(
    "future: cancelled beside a producer",
    [] {
      auto p = std::make_unique<weft::promise<int>>();
      weft::future<int> f = p->get_future();
      bool is_set = false, is_cancelled = false;
      together(
          [&] {
            is_set = p->set_result(1);
            p.reset();
          },
          [&] { is_cancelled = f.cancel(); });
      mc::expect(is_set != is_cancelled, "one of both");
      if (is_set) mc::expect(f.get() == 1, "the value");
    },
    3, 2);

WEFT_SCENARIO(
    "future: cancelled beside a producer that throws",
    [] {
      weft::promise<fragile> p;
      weft::future<fragile> f = p.get_future();
      together(
          [&] {
            try {
              p.set_result(fragile(false));
            } catch (int) {
            }
          },
          [&] { f.cancel(); });
      mc::expect(f.cancelled(), "at once, or when the producer has given up");
    },
    3, 2);

}  // namespace
}  // namespace weft_mc
