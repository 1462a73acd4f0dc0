// Mutants that no scenario can tell from the original, and why.
#pragma once

#include <weft/mc/mutation.h>

#include <string>

namespace weft_mc {

struct living_mutant {
  const char* file;
  const char* function;  // With the scope that it stands in.
  weft::mc::operation what;
  weft::mc::weakening how;
  std::size_t which;  // Of the function's mutants of this kind.
  const char* reason;
};

inline constexpr const char* of_modification_order =
    "keeps a count from passing below zero where the modification order disagrees with that of execution: not modelled";
inline constexpr const char* of_load_buffering =
    "keeps a load before a store behind it (the look at a slot before its next use): load buffering, not modelled";

inline constexpr const char* of_the_kernel =
    "an index comes with an event, which the kernel orders behind the descriptor; kept for who knows nothing of that";
inline constexpr const char* of_the_monitor =
    "a stand-in that takes an old count of rounds for movement sleeps until the monitor asks again, with its next tick";
inline constexpr const char* of_the_total_order =
    "keeps a store behind the one before it in the order of all seq_cst operations: as the model executes them anyway";

inline constexpr const char* of_depth =
    "frees the mutex for its last owner again: three preemptions in one place, beyond the executions that a mutant "
    "gets";

inline constexpr living_mutant living_mutants[] = {
    {"mutex.cpp", "mutex::wait_in_list(", weft::mc::operation::modify, weft::mc::weakening::blind, 0, of_depth},
    {"idle_cores.cpp", "idle_cores::announce(", weft::mc::operation::modify, weft::mc::weakening::relax, 0,
     of_modification_order},
    {"idle_cores.cpp", "idle_cores::withdraw(", weft::mc::operation::modify, weft::mc::weakening::relax, 0,
     of_modification_order},
    {"idle_cores.cpp", "idle_cores::claim_parked(", weft::mc::operation::modify, weft::mc::weakening::no_acquire, 0,
     of_modification_order},
    {"idle_cores.cpp", "idle_cores::claim_parked(", weft::mc::operation::modify, weft::mc::weakening::no_release, 0,
     of_modification_order},
    {"reactor.cpp", "reactor::stop(", weft::mc::operation::store, weft::mc::weakening::relax, 1, of_the_total_order},
    {"reactor.cpp", "reactor::stop(", weft::mc::operation::store, weft::mc::weakening::no_total, 1, of_the_total_order},
    {"reactor.cpp", "reactor::stand_by(", weft::mc::operation::store, weft::mc::weakening::no_total, 0,
     of_the_total_order},
    {"reactor.cpp", "reactor::dispatch(", weft::mc::operation::modify, weft::mc::weakening::blind, 0,
     "another one counts ticks only where adding to a poller fails in one direction: no scenario has that"},
    {"reactor.cpp", "reactor::stand_in(", weft::mc::operation::modify, weft::mc::weakening::relax, 0, of_the_monitor},
    {"reactor.cpp", "reactor::stand_by(", weft::mc::operation::load, weft::mc::weakening::relax, 0, of_the_monitor},
    {"reactor.cpp", "reactor::stand_by(", weft::mc::operation::store, weft::mc::weakening::relax, 0,
     of_the_total_order},
    {"slot_table.cpp", "slot_table::grow(", weft::mc::operation::store, weft::mc::weakening::relax, 0, of_the_kernel},
    {"slot_table.h", "slot_table::at(", weft::mc::operation::load, weft::mc::weakening::relax, 0, of_the_kernel},
    {"ready_ring.h", "::push(", weft::mc::operation::load, weft::mc::weakening::relax, 0, of_load_buffering},
    {"ready_ring.h", "::steal_into(", weft::mc::operation::load, weft::mc::weakening::relax, 0, of_load_buffering},
    {"ready_ring.h", "::steal_into(", weft::mc::operation::compare_exchange, weft::mc::weakening::relax, 0,
     of_load_buffering},
    {"work_deque.h", "::pop_expected(", weft::mc::operation::store, weft::mc::weakening::relax, 1, of_load_buffering},
    {"work_deque.h", "::steal(", weft::mc::operation::compare_exchange, weft::mc::weakening::relax, 0,
     of_load_buffering},
    {"work_deque.h", "::make_room(", weft::mc::operation::load, weft::mc::weakening::relax, 0, of_load_buffering},
};

// Null for a mutant that must be found.
inline const char* reason_to_live(const weft::mc::mutation& m, const std::string& function, std::size_t which) {
  for (const living_mutant& l : living_mutants) {
    if (m.where.file == l.file && m.where.what == l.what && m.how == l.how && which == l.which &&
        function.find(l.function) != std::string::npos) {
      return l.reason;
    }
  }
  return nullptr;
}

}  // namespace weft_mc
