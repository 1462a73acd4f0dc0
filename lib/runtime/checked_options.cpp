#include "runtime/checked_options.h"

#include "context/stack.h"
#include "platform/cpu_quota.h"
#include "platform/signal_hook.h"
#include "platform/signal_set.h"
#include "platform/thread.h"

#include <stdexcept>
#include <string>

namespace weft::inline v0::detail {

namespace {

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("weft::options: " + what); }

// A signal that a thread raises by itself is no request, and where_signal is the watchdog's.
bool can_ask_for_dump(int signal) noexcept {
  sigset_t set;
  return set_of_asynchronous({&signal, 1}, set) && signal < signal_count && signal != where_signal;
}

// As many seats as workers are wanted: real ones first, then round and round over the same CPUs.
topology grown(const topology& base, std::size_t count) {
  if (count <= base.size()) return base.first(count);
  return base.repeated(count);
}

}  // namespace

topology checked_topology(const options& wanted) {
  if (wanted.cores && *wanted.cores == 0) refuse("cores = 0: at least one is needed");
  if (wanted.cores && *wanted.cores > options::most_cores) {
    refuse("cores = " + std::to_string(*wanted.cores) + ": at most " + std::to_string(options::most_cores) +
           " are possible");
  }
  if (stack_class_for(wanted.stack_bytes) < 0) {
    refuse("stack_bytes = " + std::to_string(wanted.stack_bytes) + ": between " + std::to_string(min_stack_bytes) +
           " and " + std::to_string(max_stack_bytes) + " are possible");
  }
  if (wanted.spin && wanted.spin->count() < 0) {
    refuse("spin = " + std::to_string(wanted.spin->count()) + " ns: it cannot be negative");
  }
  if (wanted.watchdog && wanted.watchdog->count() < 0) {
    refuse("watchdog = " + std::to_string(wanted.watchdog->count()) + " ns: it cannot be negative");
  }
  if (wanted.dump_signal != 0 && !can_ask_for_dump(wanted.dump_signal)) {
    refuse("dump_signal = " + std::to_string(wanted.dump_signal) +
           ": it is no signal, or not one for programs to handle");
  }
  if (!wanted.topology.empty()) {
    const topology shape = topology::synthetic(wanted.topology);
    if (shape.size() > options::most_cores) {
      refuse("topology \"" + wanted.topology + "\" has " + std::to_string(shape.size()) + " cores: at most " +
             std::to_string(options::most_cores) + " are possible");
    }
    return grown(shape.mapped_onto(original_affinity()), wanted.cores.value_or(shape.size()));
  }
  return grown(topology::detect(), wanted.cores.value_or(usable_cpus()));
}

}  // namespace weft::inline v0::detail
