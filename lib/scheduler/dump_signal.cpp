#include "scheduler/dump_signal.h"

#include "platform/signal_hook.h"
#include "platform/thread.h"
#include "scheduler/monitor.h"

#include <array>

namespace weft::inline v0::detail {

namespace {

struct place {
  atomic<monitor*> who{nullptr};
  atomic<int> signal{0};
};

std::array<place, 64> places;
atomic<std::uint32_t> handlers_inside{0};

void ask_all(const signal_event& event) noexcept {
  handlers_inside.fetch_add(1, seq_cst);
  full_fence();  // Pairs with ~dump_request_entry().
  for (place& p : places) {
    monitor* const m = p.who.load(acquire);  // Pairs with dump_request_entry().
    if (m != nullptr && p.signal.load(relaxed) == event.number) m->ask_for_dump();
  }
  handlers_inside.fetch_sub(1, release);  // Pairs with ~dump_request_entry().
}

}  // namespace

dump_request_entry::dump_request_entry(monitor& m, int signal) noexcept {
  if (signal == 0) return;
  for (place_ = 0; place_ < places.size(); ++place_) {
    int unused = 0;
    if (!places[place_].signal.compare_exchange_strong(unused, signal, relaxed)) continue;
    places[place_].who.store(&m, release);  // Pairs with ask_all().
    signal_ = signal;
    hook_signal(signal, &ask_all);
    return;
  }
}

dump_request_entry::~dump_request_entry() {
  if (signal_ == 0) return;
  unhook_signal(signal_);
  places[place_].who.store(nullptr, seq_cst);
  full_fence();  // Pairs with ask_all().
  while (handlers_inside.load(acquire) != 0) yield_thread();
  places[place_].signal.store(0, relaxed);
}

}  // namespace weft::inline v0::detail
