// Runs in a signal handler, on the worker's alternate stack, with the fiber's own stack used up: it neither allocates
// nor locks, and what it says goes out by write(2), line by line, so that whatever goes wrong later leaves the first
// lines said.
#include "scheduler/overflow_report.h"

#include "platform/clock.h"
#include "platform/interrupted_frames.h"
#include "platform/signal_hook.h"
#include "platform/system_calls.h"
#include "platform/thread.h"
#include "scheduler/occupants.h"
#include "scheduler/scheduler.h"

#include <array>

namespace weft::inline v0::detail {

namespace {

constexpr std::size_t innermost = 16;
constexpr std::size_t outermost = 4;
constexpr std::uintptr_t largest_frame = std::uintptr_t{8} << 20;  // One that begins below the guard is still seen.

constexpr int longest_wait = 1000;  // Milliseconds.

// One report is enough for a process that ends.
atomic<const core*> reporter{nullptr};
atomic<bool> is_told{false};

void say(fixed_text& line) noexcept {
  line << "\n";
  sys().write(2, line.view().data(), line.view().size());
  line.clear();
}

// The first frames are said as they come, the last ones remembered.
struct frame_teller {
  symbol_reader symbols;
  std::size_t count = 0;
  std::array<const void*, outermost> last{};

  void tell(std::size_t number, const void* code, bool is_return) noexcept {
    symbol s;
    symbols.find(code, is_return, s);
    fixed_text line;
    line << "  #" << std::uint64_t{number} << " ";
    write_frame(line, code, s);
    say(line);
  }

  static bool visit(void* self, const void* code, bool is_return) noexcept {
    auto& teller = *static_cast<frame_teller*>(self);
    if (teller.count < innermost) teller.tell(teller.count, code, is_return);
    teller.last[teller.count++ % outermost] = code;
    return true;
  }

  void finish() noexcept {
    const std::size_t left = count > innermost ? count - innermost : 0;
    if (left > outermost) {
      fixed_text line;
      line << "  ... " << std::uint64_t{left - outermost} << " more";
      say(line);
    }
    for (std::size_t i = left > outermost ? count - outermost : innermost; i < count; ++i) {
      tell(i, last[i % outermost], true);
    }
  }
};

// The stack whose guard was hit by the code that stands on it; null for any other fault.
const activation* overflown(scheduler& s, const signal_event& event) noexcept {
  const std::uint32_t index = s.stacks.find(event.fault);
  if (index == no_stack) return nullptr;
  const auto* const a = static_cast<const activation*>(s.stacks.at(index));
  if (static_cast<const std::byte*>(event.fault) >= a->low) return nullptr;
  const auto sp = reinterpret_cast<std::uintptr_t>(event.sp);
  const auto low = reinterpret_cast<std::uintptr_t>(a->low);
  const bool is_its_own = s.stacks.find(event.sp) == index || (sp < low && low - sp < largest_frame);
  return is_its_own || sp == 0 ? a : nullptr;
}

void report(const core& c, const activation& a, const signal_event& event) noexcept {
  const stack_occupants who = stack_occupants::of(a);
  fixed_text line;
  line << "weft: stack overflow: ";
  if (who.count != 0) {
    write_fiber(line, *who.fibers[0]);
  } else {
    line << "the code of a fiber that has just ended";
  }
  line << ", needs more than the " << std::uint64_t{a.usable_bytes()} << " bytes of its stack";
  say(line);
  for (std::size_t i = 1; i < who.count; ++i) {
    line << "  on the stack of ";
    write_fiber(line, *who.fibers[i]);
    say(line);
  }
  if (who.called != 0) {
    line << "  calling children of weft::gather on its stack, " << std::uint64_t{who.called} << " deep";
    say(line);
  }
  line << "  on core " << std::uint64_t{c.index} << ", stack " << static_cast<const void*>(a.low) << " to "
       << static_cast<const void*>(a.top) << ", fault at " << event.fault
       << "; attributes::stack_bytes or options::stack_bytes give more";
  say(line);
  frame_teller teller;
  walk_interrupted(event, &frame_teller::visit, &teller);
  teller.finish();
}

void on_fault(const signal_event& event) noexcept {
  const core* const c = here();
  if (event.is_sent || c == nullptr) return;
  const activation* const a = overflown(c->owner, event);
  if (a == nullptr) return;
  const core* nobody = nullptr;
  if (reporter.compare_exchange_strong(nobody, c, relaxed)) {
    report(*c, *a, event);
    is_told.store(true, relaxed);
  } else if (nobody != c) {  // Else a handler from before has returned to the fault.
    const timespec pause = to_timespec(1'000'000);
    for (int i = 0; i < longest_wait && !is_told.load(relaxed); ++i) sys().poll(nullptr, 0, &pause);
  }
}

}  // namespace

void write_fiber(fixed_text& to, const fiber_record& f) noexcept {
  to << "fiber " << f.id.load(relaxed);
  if (!f.name().empty()) to << " \"" << f.name() << "\"";
  const source_location site = f.site.load();
  if (*site.file_name() == '\0') {
    to << ", a child of weft::gather";
  } else {
    to << ", spawned at " << site.file_name() << ":" << std::uint64_t{site.line()};
  }
}

overflow_watch::overflow_watch(bool is_wanted) noexcept : is_wanted_(is_wanted) {
  if (!is_wanted_) return;
  for (const int number : memory_faults) hook_signal(number, &on_fault);
}

overflow_watch::~overflow_watch() {
  if (!is_wanted_) return;
  for (const int number : memory_faults) unhook_signal(number);
}

}  // namespace weft::inline v0::detail
