// How threads of an execution wait for each other.
#include <weft/mc/execution.h>

#include <algorithm>

namespace weft::mc {

void execution::spin() {
  model_thread& me = self();
  // Pauses in a row are one; a loop without any look at a word never ends.
  if (!me.has_looked && ++me.idle_pauses < most_steps) return;
  me.has_looked = false;
  me.idle_pauses = 0;
  const std::uint64_t changes = words.changes_by_others(me.id);
  if (me.changes_seen == changes && !me.looks_again) {
    me.state = thread_state::spinning;
    reschedule();
    me.state = thread_state::ready;
  } else {
    point(true, choice_kind::pause);
  }
  me.changes_seen = words.changes_by_others(me.id);
  me.looks_again = false;
  words.catch_up(me.memory);
}

void execution::join(int thread) {
  model_thread& other = *threads_[static_cast<std::size_t>(thread)];
  point(false);
  if (other.state != thread_state::finished) {
    self().state = thread_state::joining;
    self().waits_for = thread;
    reschedule();
    self().state = thread_state::ready;
  }
  tick();
  self().memory.now.join(other.memory.now);
}

bool execution::sleep_on(const void* word, bool is_timed, std::int64_t deadline) {
  model_thread& me = self();
  me.state = thread_state::sleeping;
  me.waits_on = word;
  me.is_timed = is_timed;
  me.deadline = deadline;
  me.was_woken = false;
  reschedule();
  me.state = thread_state::ready;
  me.waits_on = nullptr;
  if (me.was_woken) return true;
  now = std::max(now, me.deadline);
  return false;
}

int execution::wake(const void* word, int count) {
  int woken = 0;
  for (const auto& t : threads_) {
    if (woken == count) break;
    if (t->waits_on != word || t->was_woken) continue;
    t->was_woken = true;
    ++woken;
  }
  return woken;
}

void execution::block_on_lock(const void* lock) {
  model_thread& me = self();
  me.state = thread_state::locking;
  me.waits_on = lock;
  me.was_woken = false;
  reschedule();
  me.state = thread_state::ready;
  me.waits_on = nullptr;
}

}  // namespace weft::mc
