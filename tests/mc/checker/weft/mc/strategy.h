// Who decides what the modelled machine leaves open: the next thread, the store that a load reads, and whether a weak
// compare-and-swap fails for no reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace weft::mc {

enum class choice_kind : std::uint8_t {
  preempt,    // Of threads; the first one runs and could go on.
  pause,      // The same, where the first one waits for others in a loop.
  hand_over,  // Of threads; the one that ran cannot go on.
  store,      // Of stores, the newest first.
  failure,    // 0: it succeeds.
};

struct choice {
  choice_kind kind;
  std::span<const int> threads;  // Where threads are to be chosen from.
  std::size_t options;
  std::size_t step;
};

class strategy {
 public:
  virtual ~strategy() = default;
  virtual void begin() = 0;  // Of an execution.
  virtual std::size_t choose(const choice& c) = 0;
  virtual bool advance() = 0;  // After an execution: whether there is another one.
};

struct bounds {
  std::size_t preemptions = 2;
  std::size_t old_stores = 2;  // Loads of an execution that do not read the newest store.
  std::size_t failures = 1;    // Weak compare-and-swaps that fail for no reason.
};

// All executions within bounds, depth first (as in Musuvathi and Qadeer, "Iterative Context Bounding", PLDI 2007).
class exhaustive : public strategy {
 public:
  explicit exhaustive(const bounds& limits) : limits_(limits) {}
  void begin() override;
  std::size_t choose(const choice& c) override;
  bool advance() override;
  void restart() { path_.clear(); }

 private:
  struct node {
    choice_kind kind;
    std::size_t options;
    std::size_t chosen;
  };
  std::size_t& budget(choice_kind kind);

  const bounds limits_;
  bounds left_;
  std::vector<node> path_;
  std::size_t depth_ = 0;
};

// Threads by random priorities that change at `depth` - 1 random steps: Burckhardt, Kothari, Musuvathi and Nagarakatte,
// "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs" (ASPLOS 2010). What loads read is drawn, too.
class by_priority : public strategy {
 public:
  by_priority(std::uint64_t seed, std::size_t executions, std::size_t depth)
      : random_(seed), left_(executions), depth_(depth) {}
  void begin() override;
  std::size_t choose(const choice& c) override;
  bool advance() override { return --left_ != 0; }

 private:
  std::int64_t& priority_of(int thread);

  std::mt19937_64 random_;
  std::size_t left_;
  const std::size_t depth_;
  std::size_t longest_ = 50;
  std::vector<std::int64_t> priorities_;
  std::vector<std::size_t> changes_;
  std::int64_t lowest_ = 0;
  int last_ = -1;             // The thread that ran last, and for how many choices in a row: after very many it gives
  std::size_t in_a_row_ = 0;  // way, for it may be looking on for what only others can do.
};

// One execution, as a string of those choices that are not the first: "12s1 15r2 20f1" reads: before step 12 thread 1
// goes on, step 15 reads the store before the last but one, step 20 fails.
class replay : public strategy {
 public:
  explicit replay(const std::string& text);
  void begin() override {}
  std::size_t choose(const choice& c) override;
  bool advance() override { return false; }

 private:
  struct deviation {
    std::size_t step;
    char what;
    std::size_t value;
  };
  std::vector<deviation> deviations_;
};

// The letter of a choice in a replay string.
constexpr char letter_of(choice_kind kind) {
  switch (kind) {
    case choice_kind::store:
      return 'r';
    case choice_kind::failure:
      return 'f';
    default:
      return 's';
  }
}

}  // namespace weft::mc
