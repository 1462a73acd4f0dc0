// Mutation: production code with one order, fence, compare-and-swap, exchange or epoch taken away must be found wrong by
// some scenario. What is not found is listed: either no scenario can tell (plain members of production code are not
// watched for races), or the code could do without it.
//
// Each mutant runs in a process of its own, since it may do anything: a crash counts as found, a run without end is
// counted apart.
#include "scenarios/scenario.h"

#include <weft/mc/mutation.h>

#include <gtest/gtest.h>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

namespace {

using weft_mc::scenario;
namespace mc = weft::mc;
using mc::operation;
using mc::weakening;

constexpr std::size_t executions_at_first = 300;  // Of every scenario, before any gets more.
constexpr std::size_t executions_each = 6'000;
constexpr int longest_seconds = 10;  // Of processor time.

// Files of the models themselves are no production code.
const std::set<std::string> not_production{"blocking.cpp",  "cores.cpp", "deque.cpp",   "parking.cpp", "queues.cpp",
                                           "readiness.cpp", "sync.cpp",  "waiting.cpp", "channels.cpp"};

struct touched {
  mc::recorded_site how;
  std::vector<const scenario*> by;
};

std::map<mc::site, touched> sites_of_all() {
  std::map<mc::site, touched> all;
  for (const scenario& s : weft_mc::scenarios()) {
    if (s.at_random != 0) continue;
    mc::clear_recorded_sites();
    mc::record_sites(true);
    (void)mc::check(s.run, {s.preemptions, s.old_stores, s.failures}, 300);
    mc::record_sites(false);
    for (const auto& [where, how] : mc::recorded_sites()) {
      if (not_production.count(where.file) != 0) continue;
      touched& t = all[where];
      t.how = how;
      t.by.push_back(&s);
    }
  }
  return all;
}

std::vector<mc::mutation> mutations_of(const mc::site& where, const mc::recorded_site& how) {
  std::vector<mc::mutation> all;
  const auto add = [&](weakening w) { all.push_back({where, w}); };
  const bool is_ordered = how.order != std::memory_order_relaxed;
  switch (where.what) {
    case operation::fence:
      add(weakening::drop);
      break;
    case operation::load:
      if (is_ordered) add(weakening::relax);
      // The epoch of a wait no longer moves on.
      if (where.file == "wait.h" && how.function.find("::open(") != std::string::npos) add(weakening::drop);
      break;
    case operation::store:
      if (is_ordered) add(weakening::relax);
      break;
    case operation::modify:
    case operation::compare_exchange:
      if (how.order == std::memory_order_acq_rel) {
        add(weakening::no_acquire);
        add(weakening::no_release);
      } else if (is_ordered) {
        add(weakening::relax);
      }
      add(weakening::blind);
      break;
  }
  return all;
}

enum class outcome { found, alive, out_of_time };

outcome try_mutant(const mc::mutation& m, const std::vector<const scenario*>& by) {
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    const itimerval limit{{0, 0}, {longest_seconds, 0}};
    setitimer(ITIMER_PROF, &limit, nullptr);
    mc::set_mutation(&m);
    for (const std::size_t most : {executions_at_first, executions_each}) {
      for (const scenario* const s : by) {
        if (!mc::check(s->run, {s->preemptions, s->old_stores, s->failures}, most).holds) _exit(1);
      }
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF) return outcome::out_of_time;
  return status != 0 ? outcome::found : outcome::alive;
}

TEST(mutants, are_found) {
  const char* const only = std::getenv("WEFT_MC_MUTANTS");
  std::size_t found = 0;
  std::size_t alive = 0;
  std::size_t late = 0;
  for (const auto& [where, t] : sites_of_all()) {
    for (const mc::mutation& m : mutations_of(where, t.how)) {
      const std::string name = to_string(m);
      if (only != nullptr && name.find(only) == std::string::npos) continue;
      switch (try_mutant(m, t.by)) {
        case outcome::found:
          ++found;
          std::cout << "  found  " << name << "\n";
          break;
        case outcome::alive:
          ++alive;
          std::cout << "  ALIVE  " << name << "  in " << t.how.function << "\n";
          break;
        case outcome::out_of_time:
          ++late;
          std::cout << "  late   " << name << "  in " << t.how.function << "\n";
          break;
      }
    }
  }
  std::cout << found << " mutants found, " << alive << " alive, " << late << " out of time\n";
  if (only == nullptr) {
    EXPECT_GE(found, 80U);
  }
}

}  // namespace
