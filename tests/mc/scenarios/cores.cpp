// Whole cores: the production scheduler, its loop, its parking and its fibers, on threads of the model.
#include "scenario.h"
#include "whole_cores.h"

#include <weft/cancelled.h>
#include <weft/event.h>
#include <weft/fiber.h>
#include <weft/mutex.h>
#include <weft/spawn.h>
#include <weft/this_fiber.h>

namespace weft_mc {
namespace {

constexpr std::size_t some = 300;

WEFT_SCENARIO(
    "cores: one core runs what a foreign thread injects",
    [] {
      cores one(1);
      mc::plain<int> content(0);
      one.spawn([&] { content.set(1); }).join();
      mc::expect(content.get() == 1, "it ran");
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "cores: two cores, two injected fibers",
    [] {
      cores two(2);
      mc::plain<int> one(0), other(0);
      auto first = two.spawn([&] { one.set(1); });
      auto second = two.spawn([&] { other.set(1); });
      first.join();
      second.join();
      mc::expect(one.get() + other.get() == 2, "both ran");
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "cores: a fiber waits for an event that a foreign thread sets",
    [] {
      cores one(1);
      weft::event happened;
      mc::plain<int> content(0);
      auto waits = one.spawn([&] {
        happened.wait();
        mc::expect(content.get() == 1, "what was done before set() is seen");
      });
      content.set(1);
      happened.set();
      waits.join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "cores: a migrating fiber is woken from outside, on two cores",
    [] {
      cores two(2, weft::migration::free);
      weft::event happened;
      auto waits = two.spawn([&] { happened.wait(); });
      happened.set();
      waits.join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "cores: cancelled from outside while it begins to wait",
    [] {
      cores one(1);
      weft::event never_set;
      bool was_cancelled = false;
      auto waits = one.spawn([&] {
        try {
          never_set.wait();
        } catch (const weft::cancelled&) {
          was_cancelled = true;
          throw;
        }
      });
      waits.cancel();
      try {
        waits.join();
      } catch (const weft::join_cancelled&) {
      }
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "cores: a notify and a cancellation race for one wait",
    [] {
      cores one(1);
      weft::event happened;
      auto waits = one.spawn([&] { happened.wait(); });
      together([&] { happened.set(); }, [&] { waits.cancel(); });
      try {
        waits.join();
      } catch (const weft::join_cancelled&) {
      }
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "cores: fibers of two cores share a mutex",
    [] {
      cores two(2);
      weft::mutex lock;
      mc::plain<int> inside(0);
      const auto enter = [&] {
        lock.lock();
        inside.set(inside.get() + 1);
        weft::this_fiber::yield();
        lock.unlock();
      };
      auto first = two.spawn(enter);
      auto second = two.spawn(enter);
      first.join();
      second.join();
      mc::expect(inside.get() == 2, "both were inside");
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "cores: a child is stolen or runs here",
    [] {
      cores two(2);
      two.spawn([&] {
           mc::plain<int> content(0);
           auto child = weft::spawn([&] { content.set(1); });
           child.join();
           mc::expect(content.get() == 1, "what the child did is seen");
         })
          .join();
    },
    0, 0, 0, some);

}  // namespace
}  // namespace weft_mc
