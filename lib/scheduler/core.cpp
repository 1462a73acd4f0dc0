#include "scheduler/core.h"

#include "platform/futex.h"
#include "scheduler/chaos.h"
#include "scheduler/enqueue.h"
#include "scheduler/scheduler.h"

namespace weft::inline v0::detail {

namespace {
constexpr std::size_t first_deque_capacity = 256;

// A record's or an activation's place in an inbox.
fiber_record& record_of(inbox_node& n) noexcept { return static_cast<fiber_record&>(n); }
activation& activation_of_node(inbox_node& n) noexcept { return static_cast<activation&>(n); }
}  // namespace

core::core(scheduler& its_owner, std::size_t its_index)
    : owner(its_owner),
      index(its_index),
      id_step(its_owner.seats.size()),
      next_fiber_id(its_index + 1),
      stacks(its_owner.stacks),
      slab(*its_owner.records.heaps[its_index]),
      clockwork(monotonic_now()),
      spawned_(first_deque_capacity) {}

core::~core() = default;

void core::cancel_published(activation& left, std::uint64_t epoch) noexcept {
  const waiter who{&left, epoch};
  if (claim(who, wake_reason::cancelled)) make_ready(left);
}

// From the thread stack a batch of events keeps its order; a migrating fiber goes where thieves find it.
void core::put_ready_elsewhere(activation& a) noexcept {
  if (current == nullptr || a.is_bound() || chaos_says(4)) {
    queue_ready(a);
  } else if (activation* const before = open_next_.exchange(&a, acq_rel)) {  // Pairs with take_next(), steal_for().
    queue_ready(*before);
  } else {
    return;  // A lone `next` wakes nobody: it runs here as soon as this fiber waits.
  }
  if (!a.is_bound()) wake_one_for(*this);
}

// Oldest first, now and then: neither a chain of wakes nor the newest spawns may starve what was spawned long ago.
runnable core::pick_oldest() noexcept {
  if (fiber_record* const f = spawned_.take_oldest()) return runnable(f);
  if (inbox_node* const n = wanted_.pop_front()) return runnable(&record_of(*n));
  return runnable(open_ready_.pop());
}

void wake_one_for(core& from) noexcept {
  const std::size_t sleeper = from.owner.idle.core_to_wake(from.nearest);
  if (sleeper == idle_cores::nobody) return;
  from.counters.wakes.add();
  from.owner.cores[sleeper]->kick();
}

// --- From other threads ------------------------------------------------------------------------------------------------

void core::deliver_bound(activation& a) noexcept {
  bound_inbox_.push(a);
  kick();
}

void core::deliver_unstarted(fiber_record& f) noexcept {
  wanted_inbox_.push(f);
  kick();
}

void core::deliver_open(activation& a) noexcept {
  open_inbox_.push(a);
  kick();
}

void core::kick() noexcept {
  full_fence();  // Pairs with park(): it sees what was delivered, or we see that it parks.
  if (note_.load(relaxed) == note_word(note_state::awake)) return;
  const std::uint32_t before = note_.exchange(note_word(note_state::notified), acq_rel);  // Pairs with park().
  if (before == note_word(note_state::in_poller)) {
    events->wake();
  } else if (before == note_word(note_state::in_note)) {
    futex_wake(note_, 1);
  }
}

bool core::has_own_work() const noexcept {
  return !bound_inbox_.empty() || !wanted_inbox_.empty() || !open_inbox_.empty();
}

bool core::has_open_work() const noexcept {
  return !spawned_.empty_hint() || !open_ready_.empty() ||
         (rescue_.load(relaxed) && (open_next_.load(relaxed) != nullptr || !open_inbox_.empty()));
}

bool core::is_stranded() const noexcept {
  return open_next_.load(relaxed) != nullptr || !open_inbox_.empty() || has_open_work();
}

runnable core::steal_for(core& thief) noexcept {
  if (fiber_record* const f = spawned_.steal()) return runnable(f);
  if (activation* const a = open_ready_.steal_into(thief.open_ready_)) return runnable(a);
  if (rescue_.load(acquire)) {  // Pairs with allow_rescue().
    if (activation* const a = open_next_.exchange(nullptr, acq_rel)) return runnable(a);
    inbox_node* n = open_inbox_.take_all();
    if (n != nullptr) {
      rescue_.store(false, relaxed);
      activation& first = activation_of_node(*n);
      for (n = n->next_in_inbox; n != nullptr;) {
        inbox_node* const next = n->next_in_inbox;
        thief.queue_ready(activation_of_node(*n));
        n = next;
      }
      return runnable(&first);
    }
  }
  return {};
}

runnable core::take_delivered() noexcept {
  for (inbox_node* n = bound_inbox_.empty() ? nullptr : bound_inbox_.take_all(); n != nullptr;) {
    inbox_node* const next = n->next_in_inbox;
    bound_ready_.push_back(activation_of_node(*n));
    n = next;
  }
  for (inbox_node* n = wanted_inbox_.empty() ? nullptr : wanted_inbox_.take_all(); n != nullptr;) {
    inbox_node* const next = n->next_in_inbox;
    wanted_.push_back(*n);
    n = next;
  }
  for (inbox_node* n = open_inbox_.empty() ? nullptr : open_inbox_.take_all(); n != nullptr;) {
    inbox_node* const next = n->next_in_inbox;
    activation& a = activation_of_node(*n);
    n = next;
    if (open_ready_.push(&a)) continue;
    open_inbox_.push(a);  // The ring is full: the rest waits for the next round, in order.
    while (n != nullptr) {
      inbox_node* const after = n->next_in_inbox;
      open_inbox_.push(*n);
      n = after;
    }
  }
  if (void* const f = owner.injected.try_pop()) return runnable(static_cast<fiber_record*>(f));
  return {};
}

void core::begin_round() noexcept {
  budget_ = ticks_per_round;
  rounds.store(rounds.load(relaxed) + 1, relaxed);
  rescue_.store(false, relaxed);
  if (events != nullptr) {
    counters.polls.add();
    events->poll();
  }
}

}  // namespace weft::inline v0::detail
