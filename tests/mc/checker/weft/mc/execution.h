// One execution: threads that are fibers of the checker, and the choices that made them run as they did.
#pragma once

#include <weft/mc/memory.h>
#include <weft/mc/mutation.h>
#include <weft/mc/strategy.h>

#include <functional>
#include <memory>
#include <set>
#include <source_location>
#include <string>
#include <vector>

namespace weft::mc {

enum class thread_state : std::uint8_t { ready, spinning, sleeping, joining, locking, finished };

// A stack of the checker: a thread of the model, or the explorer.
struct model_thread {
  int id = -1;
  thread_state state = thread_state::ready;
  thread_memory memory;
  std::function<void()> body;
  const void* waits_on = nullptr;  // A futex word, a lock.
  int waits_for = -1;              // A thread.
  bool is_timed = false;           // May wake by itself.
  bool was_woken = false;
  std::int64_t deadline = 0;
  std::uint64_t changes_seen = 0;  // For spinning: of all words, when it last looked.
  bool looks_again = false;        // It was shown less than there is: the next look may differ, though nothing changes.
  bool has_looked = true;          // At a word, since it last paused.
  std::size_t idle_pauses = 0;     // Without such a look.
  // The machine state that a switch of threads must swap.
  void* context = nullptr;
  void* exceptions[2] = {};
  std::uintptr_t here = 0;
};

class execution {
 public:
  explicit execution(strategy& by, const std::set<std::uint64_t>& shared);
  ~execution();
  execution(const execution&) = delete;
  execution& operator=(const execution&) = delete;

  // Runs `body` as thread 0, and all that it starts. Returns whether nothing was wrong.
  bool run(const std::function<void()>& body);

  // The execution that runs on this thread; null outside.
  static execution* current() { return current_; }

  // --- What threads do, see operations.h, blocking.h ---------------------------------------------------------------

  std::size_t use(word_ref word, const std::source_location& at);  // A place for others to come in, then the location.
  void point(bool is_choice, choice_kind kind = choice_kind::preempt);
  void spin();
  int start_thread(std::function<void()> body);
  void join(int thread);
  bool sleep_on(const void* word, bool is_timed, std::int64_t deadline);  // False: it woke by itself.
  int wake(const void* word, int count);
  void block_on_lock(const void* lock);
  std::size_t choose(choice_kind kind, std::size_t options);
  [[noreturn]] void fail(const std::string& what);
  void note(const std::string& what);  // For the trace.
  bool is_traced = false;
  bool takes_every_place = false;  // A replay: also where nothing was known to be shared.

  model_thread& self() { return *running_; }
  std::uint32_t tick() { return ++self().memory.now.clock.of[static_cast<std::size_t>(self().id)]; }

  memory words;
  std::int64_t now = 1'000'000'000;

  // --- Results -----------------------------------------------------------------------------------------------------

  const std::string& failure() const { return failure_; }
  const std::string& trace() const { return trace_; }
  std::string replay_string() const { return replay_; }
  std::size_t steps() const { return steps_; }
  const std::set<std::uint64_t>& newly_shared() const { return newly_shared_; }

  static constexpr std::size_t most_steps = 20'000;

 private:
  static void enter(model_thread& t);
  void switch_to(model_thread& next);
  bool can_run(const model_thread& t) const;
  void reschedule();  // The running thread cannot go on.
  void check_not_freed(std::size_t index, const std::source_location& at);

  static execution* current_;

  strategy& by_;
  const std::set<std::uint64_t>& shared_;
  std::set<std::uint64_t> newly_shared_;
  std::vector<std::unique_ptr<model_thread>> threads_;
  model_thread explorer_;
  model_thread* running_ = &explorer_;
  std::size_t steps_ = 0;
  std::string failure_;
  std::string trace_;
  std::string replay_;

  friend struct entry_of_thread;
};

}  // namespace weft::mc
