#include <weft/mc/allocation.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>
#include <weft/mc/execution_memory.h>
#include <weft/mc/here_word.h>
#include <weft/mc/shadow.h>

#include <cxxabi.h>
#include <boost/context/detail/fcontext.hpp>
#include <cstring>

namespace weft::mc {

namespace ctx = boost::context::detail;

execution* execution::current_ = nullptr;

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;

// Stacks go from execution to execution; each thread of one has a stack of its own.
char* top_of_stack(std::size_t thread) {
  static char* const stacks = [] {
    auto* const all = static_cast<char*>(execution_memory::take(stack_bytes * most_threads, 4096));
    execution_memory::keep();
    return all;
  }();
  return stacks + (thread + 1) * stack_bytes;
}

struct exception_words {
  void* caught;
  unsigned uncaught;
};

}  // namespace

struct entry_of_thread {
  static void run(ctx::transfer_t from) {
    execution& e = *execution::current_;
    static_cast<model_thread*>(from.data)->context = from.fctx;
    engine_scope::set_depth(0);
    execution::enter(*e.running_);
    const engine_scope in_engine;
    e.tick();  // Whoever joins it learns of its last accesses, too.
    e.running_->state = thread_state::finished;
    e.reschedule();
    __builtin_unreachable();
  }
};

execution::execution(strategy& by, const std::set<std::uint64_t>& shared) : by_(by), shared_(shared) {
  (void)top_of_stack(0);
  current_ = this;
  allocation::begin();
}

execution::~execution() {
  {
    const engine_scope in_engine;
    is_traced = false;
    for (const auto& t : threads_) t->body = nullptr;  // While what the model allocated for them is still known.
  }
  current_ = nullptr;
  allocation::end();
}

void execution::enter(model_thread& t) {
  try {
    t.body();
    t.body = nullptr;  // What the model allocated for it is the model's to free.
  } catch (const std::exception& e) {
    current_->fail(std::string("an exception leaves the thread: ") + e.what());
  } catch (...) {
    current_->fail("an exception leaves the thread");
  }
}

void execution::switch_to(model_thread& next) {
  model_thread& before = *running_;
  if (&next == &before) return;
  auto* const globals = abi::__cxa_get_globals();
  std::memcpy(before.exceptions, globals, sizeof(exception_words));
  std::memcpy(globals, next.exceptions, sizeof(exception_words));
  before.here = here_word::get();
  here_word::set(next.here);
  const int depth = engine_scope::depth();
  running_ = &next;
  const ctx::transfer_t back = ctx::jump_fcontext(next.context, &before);
  static_cast<model_thread*>(back.data)->context = back.fctx;
  engine_scope::set_depth(depth);
}

int execution::start_thread(std::function<void()> body) {
  const engine_scope in_engine;
  if (threads_.size() == most_threads) fail("too many threads");
  auto t = std::make_unique<model_thread>();
  t->id = static_cast<int>(threads_.size());
  t->body = std::move(body);
  if (running_ != &explorer_) {
    tick();
    t->memory.now = self().memory.now;
  }
  t->context = ctx::make_fcontext(top_of_stack(threads_.size()), stack_bytes, &entry_of_thread::run);
  threads_.push_back(std::move(t));
  ++threads_.back()->memory.now.clock.of[threads_.size() - 1];
  return threads_.back()->id;
}

bool execution::run(const std::function<void()>& body) {
  const engine_scope in_engine;
  start_thread(body);
  switch_to(*threads_.front());
  if (failure_.empty()) {
    if (const std::string leak = allocation::leaks(); !leak.empty()) failure_ = leak;
  }
  return failure_.empty();
}

void execution::fail(const std::string& what) {
  const engine_scope in_engine;
  failure_ = what;
  if (is_traced) {
    note("FAILS: " + what);
    for (const auto& t : threads_) {
      static constexpr const char* states[] = {"ready", "spins", "sleeps", "joins", "waits for a lock", "has ended"};
      trace_ += "  thread " + std::to_string(t->id) + " " + states[static_cast<int>(t->state)] + "\n";
    }
  }
  // The stacks are left as they are; nothing on them is unwound.
  switch_to(explorer_);
  __builtin_unreachable();
}

void execution::note(const std::string& what) {
  if (!is_traced) return;
  const engine_scope in_engine;
  const std::string step = std::to_string(steps_);
  trace_ += std::string(step.size() < 5 ? 5 - step.size() : 0, ' ') + step + "  thread " + std::to_string(self().id) +
            "  " + what + "\n";
}

bool execution::can_run(const model_thread& t) const {
  switch (t.state) {
    case thread_state::ready:
      return true;
    case thread_state::spinning:
      return words.changes_by_others(t.id) != t.changes_seen;
    case thread_state::sleeping:
      return t.was_woken || t.is_timed;
    case thread_state::joining:
      return threads_[static_cast<std::size_t>(t.waits_for)]->state == thread_state::finished;
    case thread_state::locking:
      return t.was_woken;
    case thread_state::finished:
      return false;
  }
  return false;
}

std::size_t execution::choose(choice_kind kind, std::size_t options) {
  if (options < 2) return 0;
  const std::size_t chosen = by_.choose({kind, {}, options, steps_});
  if (chosen != 0) {
    replay_ += std::to_string(steps_) + letter_of(kind) + std::to_string(chosen) + " ";
    self().looks_again = true;
  }
  return chosen;
}

void execution::point(bool is_choice, choice_kind kind) {
  if (++steps_ > most_steps) fail("an execution of " + std::to_string(most_steps) + " steps: does it ever end?");
  if (!is_choice) return;
  int options[most_threads];
  std::size_t count = 0;
  options[count++] = running_->id;
  for (const auto& t : threads_) {
    if (t.get() != running_ && can_run(*t)) options[count++] = t->id;
  }
  if (count < 2) return;
  const std::size_t chosen = by_.choose({kind, {options, count}, count, steps_});
  if (chosen == 0) return;
  replay_ += std::to_string(steps_) + "s" + std::to_string(options[chosen]) + " ";
  switch_to(*threads_[static_cast<std::size_t>(options[chosen])]);
}

// Threads that spin come last: they would only look again.
void execution::reschedule() {
  if (++steps_ > most_steps) fail("an execution of " + std::to_string(most_steps) + " steps: does it ever end?");
  int options[most_threads];
  std::size_t count = 0;
  for (const auto& t : threads_) {
    if (t.get() != running_ && t->state != thread_state::spinning && can_run(*t)) options[count++] = t->id;
  }
  if (count == 0) {
    for (std::size_t i = 1; i <= threads_.size(); ++i) {
      const auto& t = threads_[(static_cast<std::size_t>(running_->id) + i) % threads_.size()];
      if (can_run(*t)) options[count++] = t->id;
    }
  }
  if (count == 0) {
    bool all_ended = true;
    for (const auto& t : threads_) all_ended = all_ended && t->state == thread_state::finished;
    if (!all_ended) fail("deadlock: no thread can go on");
    switch_to(explorer_);
  }
  const std::size_t chosen = count > 1 ? by_.choose({choice_kind::hand_over, {options, count}, count, steps_}) : 0;
  if (chosen != 0) replay_ += std::to_string(steps_) + "s" + std::to_string(options[chosen]) + " ";
  switch_to(*threads_[static_cast<std::size_t>(options[chosen])]);
}

void execution::check_not_freed(std::size_t index, const std::source_location& at) {
  if (words.at(index).is_freed) {
    fail("use after free of " + words.name_of(index) + " at " + to_string(site{at.file_name(), at.line(), 0, {}}));
  }
}

std::size_t execution::use(word_ref word, const std::source_location& at) {
  if (allocation::is_freed(word.address)) {
    fail("use after free at " + to_string(site{at.file_name(), at.line(), 0, {}}));
  }
  self().has_looked = true;
  const std::size_t index = words.find(word, self().id, self().memory, at);
  location& l = words.at(index);
  if (l.first_user != self().id && shared_.count(l.key) == 0) newly_shared_.insert(l.key);
  point(takes_every_place || shared_.count(l.key) != 0);
  check_not_freed(index, at);
  shadow::on_atomic(word.address, word.bytes);
  const std::uint32_t bit = std::uint32_t{1} << self().id;
  location& after = words.at(index);
  if ((after.checked_by & bit) == 0) {
    after.checked_by |= bit;
    if (!allocation::is_published(word.address, self().memory.now.clock)) {
      fail("used before it was published: " + words.name_of(index) + " at " +
           to_string(site{at.file_name(), at.line(), 0, {}}));
    }
  }
  tick();
  return index;
}

}  // namespace weft::mc
