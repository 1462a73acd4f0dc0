#include "scheduler/no_suspend.h"

#include "platform/system_calls.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace weft::inline v0::detail {

namespace {

activation* stack_here() noexcept {
  core* const c = here();
  return c != nullptr ? c->current : nullptr;
}

}  // namespace

void end_for_broken_mark(const activation& a, const no_suspend_mark& mark, const char* act) noexcept {
  const fiber_record& f = *a.occupant.load(relaxed);
  char text[512];
  const int length =
      std::snprintf(text, sizeof text, "weft: fiber %llu \"%.*s\" %s while it holds the no_suspend guard of %s:%u\n",
                    static_cast<unsigned long long>(f.id.load(relaxed)), static_cast<int>(f.name().size()),
                    f.name().data(), act, mark.where.file_name(), static_cast<unsigned>(mark.where.line()));
  sys().write(2, text, static_cast<std::size_t>(length) < sizeof text ? static_cast<std::size_t>(length) : sizeof text);
  std::abort();
}

bool suspension_is_checked() noexcept {
#ifdef WEFT_CHECKED
  return true;
#else
  return false;
#endif
}

void open_mark([[maybe_unused]] no_suspend_mark& mark) noexcept {
  activation* const a = stack_here();
  if (a == nullptr) return;
  ++a->guards;
#ifdef WEFT_CHECKED
  mark.outer = std::exchange(a->no_suspend_marks, &mark);
#endif
}

// Locks need not be unlocked in the reverse order. One that another fiber locked is not among ours; without the check that
// goes unnoticed.
void close_mark([[maybe_unused]] no_suspend_mark& mark) noexcept {
  activation* const a = stack_here();
  if (a == nullptr) return;
  if (a->guards != 0) --a->guards;
#ifdef WEFT_CHECKED
  for (no_suspend_mark** at = &a->no_suspend_marks; *at != nullptr; at = &(*at)->outer) {
    if (*at != &mark) continue;
    *at = mark.outer;
    return;
  }
#endif
}

}  // namespace weft::inline v0::detail
