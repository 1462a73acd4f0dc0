// Mutation: production code with one order, fence, compare-and-swap, exchange or epoch taken away must be found wrong
// by some scenario. A mutant that no scenario can tell from the original stands in mutants_alive.h, with the reason.
//
// Each mutant runs in a process of its own, since it may do anything. Counted apart are those found by a crash, which
// says little of why, and those that ran out of time: a run without end is no finding.
#include "mutants_alive.h"
#include "scenarios/scenario.h"

#include <weft/mc/mutation.h>

#include <gtest/gtest.h>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <tuple>

namespace {

using weft_mc::scenario;
namespace mc = weft::mc;
using mc::operation;
using mc::weakening;

// Of every scenario, before any gets more.
constexpr std::size_t most_executions[] = {300, 6'000, 20'000};
constexpr std::size_t most_at_random = 300;
constexpr int longest_seconds = 30;  // Of processor time.
constexpr int exit_found = 1;

constexpr std::uint64_t seed = 1;

// Files of the models themselves are no production code.
bool is_production(const std::string& file) {
  static const std::set<std::string> others{"channels.cpp", "cores.cpp",   "deque.cpp",          "descriptors.cpp",
                                            "ends.cpp",     "leads.cpp",   "locks.cpp",          "mutexes.cpp",
                                            "parking.cpp",  "queues.cpp",  "readiness.cpp",      "scenario.cpp",
                                            "sync.cpp",     "waiting.cpp", "instrumentation.cpp"};
  return others.count(file) == 0;
}

// Of what only whole cores run, these files are looked at.
bool is_mutated_on_cores(const std::string& file) {
  static const std::set<std::string> some{"descriptor.cpp", "reactor.cpp",    "reactor.h",
                                          "readiness.h",    "slot_table.cpp", "slot_table.h"};
  return some.count(file) != 0;
}

mc::verdict check(const scenario& s, std::size_t most) {
  return s.at_random != 0 ? mc::check_by_priority(s.run, seed, std::min(most, most_at_random), 4)
                          : mc::check(s.run, {s.preemptions, s.old_stores, s.failures}, most);
}

struct touched {
  mc::recorded_site how;
  std::vector<const scenario*> by;
};

std::map<mc::site, touched> sites_of_all() {
  std::map<mc::site, touched> all;
  for (const scenario& s : weft_mc::scenarios()) {
    const bool is_whole = s.at_random != 0 || s.has_cores;
    mc::clear_recorded_sites();
    mc::record_sites(true);
    (void)check(s, most_executions[0]);
    mc::record_sites(false);
    for (const auto& [where, how] : mc::recorded_sites()) {
      if (!is_production(where.file) || (is_whole && !is_mutated_on_cores(where.file))) continue;
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
  if (how.order == std::memory_order_seq_cst) add(weakening::no_total);
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

enum class outcome { found, crashed, alive, out_of_time };

// Never returns. What is known to live is not looked for as long.
void run_mutant(const mc::mutation& m, const std::vector<const scenario*>& by, bool is_known) {
  const itimerval limit{{0, 0}, {longest_seconds, 0}};
  setitimer(ITIMER_PROF, &limit, nullptr);
  mc::set_mutation(&m);
  for (const std::size_t most : most_executions) {
    if (is_known && most != most_executions[0]) break;
    for (const scenario* const s : by) {
      if (s->at_random != 0 && most == most_executions[2]) continue;  // As before.
      const mc::verdict v = check(*s, most);
      if (v.holds) continue;
      std::cout << "         " << s->name << ": " << v.failure << std::endl;
      _exit(exit_found);
    }
  }
  _exit(0);
}

outcome try_mutant(const mc::mutation& m, const std::vector<const scenario*>& by, bool is_known) {
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) run_mutant(m, by, is_known);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGPROF ? outcome::out_of_time : outcome::crashed;
  return WEXITSTATUS(status) == exit_found ? outcome::found : outcome::alive;
}

struct counts {
  std::size_t of[4] = {};
  std::size_t known = 0;
  std::map<std::tuple<std::string, std::string, operation, weakening>, std::size_t> seen;
  // Which of the function's mutants of its kind this one is.
  std::size_t next_of(const mc::mutation& m, const std::string& function) {
    return seen[{m.where.file, function, m.where.what, m.how}]++;
  }
  std::size_t& operator[](outcome o) { return of[static_cast<std::size_t>(o)]; }
};

// One line; a mutant that is alive without a reason, or found in spite of one, fails the test.
void judge(const mc::mutation& m, const touched& t, counts& all) {
  static constexpr const char* words[] = {"found", "crash", "ALIVE", "late "};
  const std::string name = to_string(m);
  const char* const reason = weft_mc::reason_to_live(m, t.how.function, all.next_of(m, t.how.function));
  const outcome o = try_mutant(m, t.by, reason != nullptr);
  ++all[o];
  std::cout << "  " << words[static_cast<int>(o)] << "  " << name << "  in " << t.how.function << "\n";
  if (o == outcome::alive && reason != nullptr) {
    ++all.known;
    std::cout << "         " << reason << "\n";
  } else if (o == outcome::alive || o == outcome::out_of_time) {
    ADD_FAILURE() << "no scenario finds " << name;
  } else if (reason != nullptr) {
    ADD_FAILURE() << "in mutants_alive.h, and found: " << name;
  }
}

TEST(mutants, are_found) {
  const char* const only = std::getenv("WEFT_MC_MUTANTS");
  counts all;
  for (const auto& [where, t] : sites_of_all()) {
    for (const mc::mutation& m : mutations_of(where, t.how)) {
      if (only == nullptr || to_string(m).find(only) != std::string::npos) judge(m, t, all);
    }
  }
  std::cout << all[outcome::found] << " mutants found, " << all[outcome::crashed] << " by a crash, "
            << all[outcome::alive] << " alive, " << all.known << " of them for a known reason, "
            << all[outcome::out_of_time] << " out of time\n";
}

}  // namespace
