// Each join remembers whose child it is called by: a join further up the stack, or the occupant.
#include "scheduler/occupants.h"

#include "platform/memory_reader.h"
#include "scheduler/called_fiber.h"

namespace weft::inline v0::detail {

namespace {

template <class T>
T read(const T& from) noexcept {
  T value{};
  copy_memory(&from, &value, sizeof value);  // NOLINT(bugprone-sizeof-expression): the size of a pointer is meant.
  return value;
}

}  // namespace

stack_occupants stack_occupants::of(const activation& a) noexcept {
  stack_occupants found;
  fiber_record* const occupant = a.occupant.load(relaxed);
  if (occupant == nullptr) return found;
  const auto top = reinterpret_cast<std::uintptr_t>(a.top);
  auto floor = reinterpret_cast<std::uintptr_t>(a.low);
  std::uintptr_t at = read(a.identity);
  while (at != reinterpret_cast<std::uintptr_t>(occupant) && found.count < most - 1) {
    if (at < floor || at >= top || top - at < sizeof(called_fiber) || at % alignof(fork_join) != 0) break;
    const auto& join = *reinterpret_cast<const fork_join*>(at);
    if (read(join.is_called_fiber_)) {
      found.fibers[found.count++] = read(static_cast<const called_fiber&>(join).fiber_);
    } else if (found.count == 0) {
      ++found.called;
    }
    floor = at + 1;
    at = read(join.identity_);
  }
  found.fibers[found.count++] = occupant;
  return found;
}

}  // namespace weft::inline v0::detail
