#include <weft/mc/check.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>
#include <weft/mc/shadow.h>

#include <ostream>

namespace weft::mc {

namespace {

// Keeps the trace of the execution that `choices` describes.
void explain(const model& m, verdict& v, const std::set<std::uint64_t>& shared) {
  replay again(v.replay);
  execution e(again, shared);
  e.is_traced = e.takes_every_place = true;
  e.run(m);
  v.trace = e.trace();
  if (e.failure() != v.failure) v.trace += "(the replay ended otherwise: " + e.failure() + ")\n";
}

// `restart` begins anew when it turns out that threads share more than was known: only what is shared is worth a
// preemption, for before any other operation it would change nothing.
template <class Restart>
verdict explore(const model& m, strategy& by, std::size_t most, Restart restart) {
  const engine_scope in_engine;
  verdict v;
  std::set<std::uint64_t> shared;
  for (;;) {
    by.begin();
    bool has_grown = false;
    {
      execution e(by, shared);
      v.holds = e.run(m);
      ++v.executions;
      if (!v.holds) {
        v.failure = e.failure();
        v.replay = e.replay_string();
        shared.insert(e.newly_shared().begin(), e.newly_shared().end());
      } else if (!e.newly_shared().empty()) {
        shared.insert(e.newly_shared().begin(), e.newly_shared().end());
        has_grown = true;
      }
    }
    if (!v.holds) {
      explain(m, v, shared);
      return v;
    }
    if (has_grown && restart()) continue;
    if (!by.advance()) {
      v.is_complete = true;
      return v;
    }
    if (v.executions >= most) return v;
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const verdict& v) {
  if (v.holds) return out << "holds in " << v.executions << " executions" << (v.is_complete ? "" : ", of more");
  return out << "fails: " << with_places(v.failure) << "\nin execution " << v.executions << ":\n"
             << with_places(v.trace) << "replay: \"" << v.replay << "\"\n";
}

verdict check(const model& m, const bounds& limits, std::size_t most) {
  exhaustive by(limits);
  return explore(m, by, most, [&by] {
    by.restart();
    return true;
  });
}

verdict check_by_priority(const model& m, std::uint64_t seed, std::size_t executions, std::size_t depth) {
  by_priority by(seed, executions, depth);
  verdict v = explore(m, by, executions, [] { return false; });
  v.is_complete = false;
  return v;
}

verdict replay_of(const model& m, const std::string& choices) {
  const engine_scope in_engine;
  verdict v;
  replay by(choices);
  const std::set<std::uint64_t> nothing;
  execution e(by, nothing);
  e.is_traced = e.takes_every_place = true;
  v.holds = e.run(m);
  v.executions = 1;
  v.failure = e.failure();
  v.trace = e.trace();
  v.replay = choices;
  return v;
}

}  // namespace weft::mc
