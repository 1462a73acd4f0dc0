#include "scheduler/foreign_handlers.h"

#include "platform/signal_hook.h"
#include "platform/signal_set.h"
#include "platform/symbols.h"
#include "scheduler/scheduler.h"

#include <array>
#include <new>
#include <string>

namespace weft::inline v0::detail {

namespace {

// The handler of each signal that was told last.
std::array<atomic<const void*>, signal_count> told;

std::string name_of(int number) {
  struct entry {
    int number;
    const char* name;
  };
  static constexpr entry known[] = {{SIGABRT, "SIGABRT"}, {SIGFPE, "SIGFPE"},  {SIGSEGV, "SIGSEGV"},
                                    {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},  {SIGTRAP, "SIGTRAP"},
                                    {SIGSYS, "SIGSYS"},   {SIGPROF, "SIGPROF"}};
  for (const entry& each : known) {
    if (each.number == number) return each.name;
  }
  return "signal " + std::to_string(number);
}

}  // namespace

void report_foreign_handlers(scheduler& s) noexcept {
  try {
    for (int number = 1; number < signal_count; ++number) {
      if (is_blocked_on_workers(number)) continue;
      const void* const handler = handler_without_stack(number);
      if (handler == nullptr || told[static_cast<std::size_t>(number)].exchange(handler, relaxed) == handler) continue;
      symbol_reader symbols;
      symbol found;
      symbols.find(handler, false, found);
      s.report("weft: " + name_of(number) + " is handled without SA_ONSTACK by " + frame_text(handler, found) +
               ": it may run on the stack of a fiber, which has as little as " + std::to_string(s.wanted.stack_bytes) +
               " bytes\n");
    }
  } catch (const std::bad_alloc&) {
    return;  // The next look may have more luck.
  }
}

}  // namespace weft::inline v0::detail
