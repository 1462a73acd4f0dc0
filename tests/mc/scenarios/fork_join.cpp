// Children that are called on their parents' stacks, on whole cores of the model.
#include "scenario.h"
#include "whole_cores.h"

#include <weft/cancelled.h>
#include <weft/event.h>
#include <weft/gather.h>
#include <weft/scope.h>
#include <weft/shield.h>
#include <weft/spawn.h>
#include <weft/this_fiber.h>

#include <tuple>

namespace weft_mc {
namespace {

constexpr std::size_t some = 300;

void sleep_until_told(weft::event& sleeps, weft::event& told) {
  struct at_end {
    weft::event& event;
    ~at_end() { event.set(); }
  } const tell{told};
  weft::event never;
  sleeps.set();
  never.wait();
}

void join_cancelled(weft::fiber<void>& f) {
  try {
    f.join();
  } catch (const weft::join_cancelled&) {
  }
}

WEFT_SCENARIO(
    "fork: children of gather are called, or stolen",
    [] {
      cores two(2);
      two.spawn([] {
           const auto [a, b, c] = weft::gather([] { return 1; }, [] { return 2; }, [] { return 3; });
           mc::expect(a == 1 && b == 2 && c == 3, "each result is in its place");
         })
          .join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "fork: the first child of gather waits for the second, on a stack that moves",
    [] {
      cores two(2, weft::migration::free);
      two.spawn([] {
           weft::event happened;
           mc::plain<int> content(0);
           weft::gather(
               [&] {
                 happened.wait();
                 mc::expect(content.get() == 1, "what the other child did is seen");
               },
               [&] {
                 content.set(1);
                 happened.set();
               });
         })
          .join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "fork: an error of a child outside reaches the one that is called",
    [] {
      cores two(2);
      two.spawn([] {
           weft::event never;
           bool was_thrown = false;
           try {
             weft::gather([&] { never.wait(); }, [] { throw 1; });
           } catch (int) {
             was_thrown = true;
           }
           mc::expect(was_thrown, "the error comes");
         })
          .join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "fork: a child that is called detaches a fiber",
    [] {
      mc::plain<int> content(0);
      {
        cores two(2);
        weft::event happened;
        auto parent = two.spawn([&] {
          weft::gather(
              [&] {
                weft::spawn([&] {
                  content.set(1);
                  happened.set();
                }).detach();
              },
              [] {});
          happened.wait();
        });
        parent.join();
      }
      mc::expect(content.get() == 1, "it ran");
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "fork: children of a scope are called by its join, or stolen",
    [] {
      cores two(2);
      two.spawn([] {
           mc::plain<int> first(0), second(0);
           weft::with_scope([&](weft::scope& crew) {
             crew.spawn([&] { first.set(1); });
             crew.spawn([&] { second.set(2); });
           });
           mc::expect(first.get() + second.get() == 3, "what they did is seen");
         })
          .join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "fork: the first success of a scope cancels the child that its join calls",
    [] {
      cores two(2);
      two.spawn([] {
           weft::event never;
           weft::with_scope(weft::scope_policy::any(), [&](weft::scope& crew) {
             crew.spawn([] {});
             crew.spawn([&] { never.wait(); });
           });
         })
          .join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "fork: a cancellation passes a child that waits under a shield, in gather",
    [] {
      cores two(2);
      weft::event sleeps, told;
      auto parent = two.spawn([&] {
        weft::gather(
            [&] {
              sleeps.wait();
              weft::shield([&] { told.wait(); });
            },
            [&] { sleep_until_told(sleeps, told); });
      });
      parent.cancel();
      join_cancelled(parent);
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "fork: a cancellation passes a child that waits under a shield, in a scope",
    [] {
      cores one(1);
      weft::event sleeps, told;
      auto parent = one.spawn([&] {
        weft::with_scope([&](weft::scope& crew) {
          crew.spawn([&] { sleep_until_told(sleeps, told); });
          crew.spawn([&] {
            sleeps.wait();
            weft::shield([&] { told.wait(); });
          });
        });
      });
      parent.cancel();
      join_cancelled(parent);
    },
    0, 0, 0, some);

}  // namespace
}  // namespace weft_mc
