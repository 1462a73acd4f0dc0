#include "scheduler/core.h"

#include "platform/futex.h"
#include "scheduler/chaos.h"
#include "scheduler/enqueue.h"
#include "scheduler/scheduler.h"

#include <cassert>
#include <string>
#include <system_error>

namespace weft::inline v0::detail {

namespace {
constexpr std::size_t first_deque_capacity = 256;

// A record's or an activation's place in an inbox.
fiber_record& record_of(inbox_node& n) noexcept { return static_cast<fiber_record&>(n); }
activation& activation_of_node(inbox_node& n) noexcept { return static_cast<activation&>(n); }
}  // namespace

core::core(scheduler& its_owner, std::size_t its_index)
    : fork_lane(first_deque_capacity, its_owner.seats.size() > 1),
      owner(its_owner),
      index(its_index),
      id_step(its_owner.seats.size() + 1),
      next_fiber_id(its_index + 2),
      stacks(its_owner.stacks),
      slab(*its_owner.records.heaps[its_index]),
      clockwork(monotonic_now()),
      spawned_(first_deque_capacity, its_owner.seats.size() > 1) {
  parked_cores = &its_owner.idle.parked_word();
  searching_cores = &its_owner.idle.searching_word();
}

core::~core() = default;

void core::cancel_published(activation& left, std::uint64_t epoch) noexcept {
  const waiter who{&left, epoch};
  if (claim(who, wake_reason::cancelled)) make_ready(left);
}

// From the thread stack a batch of events keeps its order; a migrating fiber goes where thieves find it.
void core::put_ready_elsewhere(activation& a) noexcept {
  const bool is_bound = a.is_bound();  // Read first: once it is queued a thief may run it.
  if (chaos_carries_off(a)) return;
  if (current == nullptr || is_bound || chaos_says(4)) {
    if (current == nullptr && is_bound) hints_.give(a.context);
    queue_ready(a);
  } else if (activation* const before = open_next_.exchange(&a, acq_rel)) {  // Pairs with take_next(), steal_for().
    queue_ready(*before);
  } else {
    return;  // A lone `next` wakes nobody: it runs here as soon as this fiber waits.
  }
  if (!is_bound) wake_one_for(*this);
}

// One that has computed for long yields: whoever an event has made ready meanwhile comes first. The inboxes are looked into
// after the poller.
WEFT_COLD void core::put_behind_events(activation& a, bool is_bound) noexcept {
  (is_bound ? bound_inbox_ : open_inbox_).push(a);
}

activation* core::take_reserve(fiber_record& f) noexcept {
  f.marks.fetch_or(fiber_record::has_no_stack, relaxed);
  if (reserve_ == nullptr) stackless_.push_back(f);
  return std::exchange(reserve_, nullptr);
}

void core::fill_reserve() {
  reserve_ = static_cast<activation*>(stacks.take(default_stack_class));
  if (reserve_ == nullptr) {
    throw std::system_error(
        std::make_error_code(std::errc::not_enough_memory),
        "weft::runtime: no reserve stack for core " + std::to_string(index) + ": " + owner.stacks.last_error());
  }
  reserve_->is_reserve = true;
}

// Each source comes first in its turn, so that none starves behind another: neither behind a chain of wakes, nor behind
// fibers that yield. Un-started fibers come newest first here too: taking the oldest, the root of the largest subtree,
// every time would turn depth-first work into breadth-first work, and leave thieves only leaves. Once in 16 rounds the
// oldest does come, so that endless spawning starves nobody.
runnable core::pick_by_turn() noexcept {
  const std::uint32_t turn = budget_ / 16;
  const bool is_oldest_due = turn == 1 && rounds.load(relaxed) % 16 == 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    runnable r;
    switch ((turn + i) % 3) {
      case 1:
        r = runnable(is_oldest_due ? spawned_.take_oldest() : spawned_.pop());
        break;
      case 2:
        if (inbox_node* const n = wanted_.pop_front()) r = runnable(&record_of(*n));
        break;
      default:
        r = runnable(pop_open());
        break;
    }
    if (r) return r;
  }
  return {};
}

// Oldest first: so the newest, which the owner's join wants next, is again what this core takes first.
void core::send_out_all_forks() noexcept {
  while (fork_node* const n = forks.take_oldest()) {
    if (fiber_record* const f = n->join->send_out(*this, *n)) put_forked(*n, *f);
  }
}

void core::put_forked(fork_node& n, fiber_record& f) noexcept {
  try {
    put_unstarted(f);
  } catch (const std::bad_alloc&) {
    n.join->fail_to_send_out(n, &f);
  }
}

void core::return_unstarted(fiber_record& f) noexcept {
  [[maybe_unused]] const bool is_pushed = spawned_.try_push(&f);
  assert(is_pushed);    // There is room: it was here just now.
  wake_one_for(*this);  // Who went to sleep meanwhile did not see it.
}

void core::refill_ring() noexcept {
  while (activation* const a = open_overflow_.front()) {
    // Unlinked first: once it is in the ring a thief may run it.
    open_overflow_.pop_front();
    if (open_ready_.push(a)) continue;
    open_overflow_.push_front(*a);
    return;
  }
}

// The oldest becomes the newest.
void core::turn_ring() noexcept {
  activation* const oldest = open_ready_.pop();
  if (oldest != nullptr && !open_ready_.push(oldest)) open_overflow_.push_front(*oldest);
}

#ifdef WEFT_CHAOS
bool core::chaos_carries_off(activation& a) noexcept {
  if (a.is_bound() || owner.cores.size() == 1) return false;
  const std::size_t step = 1 + chaos_below(static_cast<std::uint32_t>(owner.cores.size() - 1));
  owner.cores[(a.seat.load(relaxed)->index + step) % owner.cores.size()]->deliver_open(a);
  return true;
}

// Injected, so that whichever core is free may still begin it.
bool core::chaos_carries_off(fiber_record& f) {
  if (owner.cores.size() == 1 || !chaos_says(2)) return false;
  owner.inject(f);
  return true;
}
#endif

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
  chaos_delay();
  full_fence();  // Pairs with park(): it sees what was delivered, or we see that it parks.
  std::uint32_t seen = note_.load(relaxed);
  const std::uint32_t told = note_word(note_state::notified);
  do {
    if (seen == note_word(note_state::awake) || seen == told) return;
  } while (!note_.compare_exchange_weak(seen, told, acq_rel, relaxed));  // Pairs with park().
  if (seen == note_word(note_state::in_poller)) {
    events->wake();
  } else {
    futex_wake(note_, 1);
  }
}

bool core::has_ready() const noexcept {
  return !bound_inbox_.empty() || !open_inbox_.empty() || bound_next_ != nullptr || !bound_ready_.empty() ||
         open_next_.load(relaxed) != nullptr || !open_ready_.empty() || !open_overflow_.empty();
}

bool core::has_own_work() const noexcept {
  return !bound_inbox_.empty() || !wanted_inbox_.empty() || !open_inbox_.empty() || bound_next_ != nullptr ||
         !bound_ready_.empty() || !wanted_.empty() || !open_overflow_.empty() || open_next_.load(relaxed) != nullptr ||
         (!stackless_.empty() && reserve_ != nullptr);
}

bool core::has_open_work() const noexcept {
  return !forks.empty_hint() || !spawned_.empty_hint() || !open_ready_.empty() ||
         (rescue_.load(relaxed) && (open_next_.load(relaxed) != nullptr || !open_inbox_.empty()));
}

bool core::is_stranded() const noexcept {
  return open_next_.load(relaxed) != nullptr || !open_inbox_.empty() || has_open_work();
}

runnable core::steal_for(core& thief) noexcept {
  if (fork_node* const n = forks.steal()) {
    if (fiber_record* const f = n->join->send_out(thief, *n)) {
      thief.counters.spawned.add();
      return runnable(f);
    }
  }
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
  if (!open_inbox_.empty()) take_open_inbox();
  if (!owner.injected.maybe_nonempty()) return {};
  return runnable(static_cast<fiber_record*>(owner.injected.try_pop()));
}

// A batch for one core is work for others, too.
void core::take_open_inbox() noexcept {
  inbox_node* n = open_inbox_.take_all();
  const bool are_many = n != nullptr && n->next_in_inbox != nullptr;
  while (n != nullptr) {
    inbox_node* const next = n->next_in_inbox;
    queue_ready(activation_of_node(*n));
    n = next;
  }
  if (are_many) wake_one_for(*this);
}

void core::begin_round() noexcept {
  budget_ = ticks_per_round;
  rounds.store(rounds.load(relaxed) + 1, relaxed);
  rescue_.store(false, relaxed);
  if (events != nullptr) {
    counters.polls.add();
    events->poll();
  }
  is_overdue.store(false, relaxed);  // Not sooner: a great many timers that fire at once may take long.
}

}  // namespace weft::inline v0::detail
