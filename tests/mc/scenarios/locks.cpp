// The locks that others rest upon.
#include "scenario.h"

#include "platform/spin_lock.h"
#include "scheduler/list_lock.h"

#include <weft/detail/object_lock.h>

#include <mutex>

namespace weft_mc {
namespace {

using namespace weft::detail;

template <class Lock>
void exclusion() {
  Lock lock;
  mc::plain<int> inside(0);
  const auto enter = [&] {
    const std::scoped_lock hold(lock);
    inside.set(inside.get() + 1);
  };
  together(enter, enter, enter);
  mc::expect(inside.get() == 3, "all were inside");
}

WEFT_SCENARIO("spin_lock: lets one in at a time", &exclusion<spin_lock>, 2, 2);
WEFT_SCENARIO(
    "list_lock: lets one in at a time",
    [] {
      atomic<std::uint32_t> word{0};
      int inside = 0;
      const auto enter = [&] {
        const list_lock hold(word);
        ++inside;
      };
      together(enter, enter, enter);
      mc::expect(inside == 3, "all were inside");
    },
    2, 2);
WEFT_SCENARIO("object_lock: lets one in at a time", &exclusion<object_lock>, 2, 2);

WEFT_SCENARIO(
    "spin_lock: try_lock",
    [] {
      spin_lock lock;
      mc::plain<int> inside(0);
      const auto enter = [&] {
        if (!lock.try_lock()) return;
        inside.set(inside.get() + 1);
        lock.unlock();
      };
      together(enter, enter, enter);
    },
    2, 2);

}  // namespace
}  // namespace weft_mc
