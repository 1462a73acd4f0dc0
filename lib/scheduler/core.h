// A core: one CPU's seat, with its run queues, timers, stacks and slab.
//
// Two sides. The *bound* side (started fibers that keep their thread, fibers wanted on this core) belongs to the worker
// alone and needs no atomics, but for the inboxes through which others deliver. The *open* side (deque of un-started
// fibers, ring of ready migrating fibers, its `next`, its inbox) is what thieves take from.
// Every member not marked otherwise is used by the core's worker only, from fibers or from its thread stack.
#pragma once

#include "base/cache_line.h"
#include "base/intrusive_fifo.h"
#include "context/stack_pool.h"
#include "platform/fast_clock.h"
#include "scheduler/activation.h"
#include "scheduler/event_source.h"
#include "scheduler/here.h"
#include "scheduler/inbox.h"
#include "scheduler/pay_off.h"
#include "scheduler/ready_ring.h"
#include "scheduler/record.h"
#include "scheduler/resume_hints.h"
#include "scheduler/slab.h"
#include "scheduler/statistics.h"
#include "scheduler/timers.h"
#include "scheduler/work_deque.h"

#include <weft/detail/fork_join.h>

#include <memory>
#include <utility>
#include <vector>

namespace weft::inline v0::detail {

class scheduler;
struct watch_sample;

// What becomes of a stack that is being left, done by whoever runs next on this core.
enum class departure : std::uint8_t { yielding, suspending, ending, thread };

// How a worker can be reached: it is awake, or sleeps in its poller, or in its note.
enum class note_state : std::uint32_t { awake, in_poller, in_note, notified };

class core : public fork_lane {
 public:
  static constexpr std::uint32_t ticks_per_round = 64;  // Picks before the thread stack looks outside.
  static constexpr std::uint32_t longest_next_chain = 16;

  core(scheduler& owner, std::size_t index);
  ~core();

  // The worker's whole life.
  void run_worker() noexcept;

  // --- Run queues --------------------------------------------------------------------------------------------------

  // The next thing to run from this core's own queues; nothing when the queues are empty or the round is over (then the
  // thread stack looks at events, timers and the others).
  runnable pick() noexcept;

  // After pick() gave nothing: whether that was because the round is over.
  bool round_is_over() const noexcept { return budget_ == 0; }

  // An operation that did not wait spends a tick, as a pick does; true when the fiber should yield.
  bool spend_tick() noexcept { return budget_ == 0 || --budget_ == 0; }

  // The fiber that runs on has computed for long: its next yield ends the round.
  void end_round() noexcept { budget_ = 0; }

  // Before the running stack is left: what it has forked goes where other stacks, and other cores, find it.
  void send_out_forks() noexcept {
    if (!forks.empty_hint()) [[unlikely]]
      send_out_all_forks();
  }

  // A forked child that has just become a fiber; where there is no room for it, it ends with std::bad_alloc.
  void put_forked(fork_node& n, fiber_record& f) noexcept;

  // A fiber made ready on this core: `next` if a fiber runs here, else the end of the queue.
  void put_ready(activation& a) noexcept;
  void put_back(activation& a) noexcept;  // A fiber that yielded.
  void put_unstarted(fiber_record& f);    // Throws bad_alloc with nothing changed.

  // The newest un-started fiber that thieves may take, null where there is none; and back with it at once, if it is of no
  // use.
  fiber_record* take_unstarted() noexcept { return spawned_.empty_hint() ? nullptr : spawned_.pop(); }
  void return_unstarted(fiber_record& f) noexcept;

  // Any thread. A started fiber bound to this core; a fiber wanted here that has not started; a migrating fiber made
  // ready by no core of this runtime.
  void deliver_bound(activation& a) noexcept;
  void deliver_unstarted(fiber_record& f) noexcept;
  void deliver_open(activation& a) noexcept;

  // Any thread. Ends the worker's sleep, now or the next one.
  void kick() noexcept;

  // For a new fiber.
  std::uint64_t take_fiber_id() noexcept { return std::exchange(next_fiber_id, next_fiber_id + id_step); }

  // For a fiber that gets no stack: the reserve stack, on which it ends with ENOMEM; null while that is in use, then
  // the fiber waits in line for it.
  activation* take_reserve(fiber_record& f) noexcept;
  // Before any worker runs: a fiber that finds no stack waits for the reserve, so it must not be refused for want of it.
  // Throws: std::system_error (not_enough_memory).
  void fill_reserve();

  // --- Switching ---------------------------------------------------------------------------------------------------

  // Resumed side of every switch: finishes what the stack that was left asked for.
  void settle(saved_context from) noexcept;

  // --- The thread stack (scheduler_loop) ---------------------------------------------------------------------------

  void begin_round() noexcept;         // Events, due timers; a new budget.
  runnable take_delivered() noexcept;  // From the inboxes.
  bool has_own_work() const noexcept;  // What only this worker can run, or has been handed.
  bool has_ready() const noexcept;     // Fibers that have begun and could go on here.

  // --- Thieves (any worker of the runtime) -------------------------------------------------------------------------

  runnable steal_for(core& thief) noexcept;
  bool has_open_work() const noexcept;
  bool is_stranded() const noexcept;                              // Has work that a rescuer could take.
  void allow_rescue() noexcept { rescue_.store(true, release); }  // Monitor. Pairs with steal_for().

  // --- Parts -------------------------------------------------------------------------------------------------------

  scheduler& owner;
  const std::size_t index;
  const std::uint64_t id_step;  // Between two fiber ids of this core.
  std::uint64_t next_fiber_id;
  stack_pool stacks;
  slab_heap& slab;
  timers clockwork;
  fast_clock clock;  // This worker only.
  std::unique_ptr<event_source> events;
  core_counters counters;
  pay_off looking_on;                  // At a mutex that is held.
  std::vector<std::uint16_t> nearest;  // Other cores, nearest first.

  fiber_record* starting = nullptr;  // Handed to the trampoline.
  activation* departed = nullptr;    // Left by the switch under way.
  departure departed_as = departure::thread;
  saved_context thread_context = nullptr;  // Of the thread stack, while a fiber runs.
  [[no_unique_address]] sanitizer_identity thread_sanitizer;

  // Any thread reads. Moves with every round and every park; the monitor compares it.
  atomic<std::uint32_t> rounds{0};
  atomic<std::int64_t> coarse_now{0};          // Monotonic nanoseconds, set by the monitor and when the worker wakes.
  atomic<std::int32_t> thread_id{0};           // The kernel's number of the worker; 0 before it runs.
  atomic<watch_sample*> asked_where{nullptr};  // The monitor asks where the worker is, see watchdog.h.
  bool is_parked_in_poller() const noexcept { return note_.load(acquire) == note_word(note_state::in_poller); }
  bool is_awake() const noexcept { return note_.load(acquire) == note_word(note_state::awake); }
  bool is_asleep() const noexcept {  // And nobody has woken it.
    const std::uint32_t note = note_.load(acquire);
    return note == note_word(note_state::in_poller) || note == note_word(note_state::in_note);
  }

 private:
  friend class scheduler_loop;

  static constexpr std::uint32_t note_word(note_state s) noexcept { return static_cast<std::uint32_t>(s); }

  void publish(activation& left) noexcept;
  void cancel_published(activation& left, std::uint64_t epoch) noexcept;
  void recycle(activation& left) noexcept;
  activation* take_next() noexcept;
  fiber_record* take_fresh() noexcept;
  runnable pick_by_turn() noexcept;
  void take_open_inbox() noexcept;
  void queue_ready(activation& a) noexcept;
  activation* pop_open() noexcept;
  activation* pop_bound() noexcept;
  void refill_ring() noexcept;
  void cut_chain() noexcept;
  void turn_ring() noexcept;
#ifdef WEFT_CHAOS
  bool chaos_carries_off(activation& a) noexcept;  // To another core than it ran on.
  bool chaos_carries_off(fiber_record& f);
#else
  static constexpr bool chaos_carries_off(activation&) noexcept { return false; }
  static constexpr bool chaos_carries_off(fiber_record&) noexcept { return false; }
#endif
  void put_ready_elsewhere(activation& a) noexcept;
  void put_behind_events(activation& a, bool is_bound) noexcept;
  void send_out_all_forks() noexcept;

  activation* reserve_ = nullptr;
  intrusive_fifo<inbox_node, &inbox_node::next_in_inbox> stackless_;  // In line for the reserve.
  std::uint32_t budget_ = ticks_per_round;
  std::uint32_t next_chain_ = 0;
  activation* bound_next_ = nullptr;
  intrusive_fifo<activation, &activation::next_ready> bound_ready_;
  resume_hints hints_;                                                 // Of bound_ready_.
  intrusive_fifo<activation, &activation::next_ready> open_overflow_;  // Behind a full ring.
  intrusive_fifo<inbox_node, &inbox_node::next_in_inbox> wanted_;      // Un-started fibers wanted on this core.

  alignas(cache_line) atomic<activation*> open_next_{nullptr};  // The owner fills it; a rescuer may take it.
  ready_ring<activation, 256> open_ready_;
  work_deque<fiber_record> spawned_;

  alignas(cache_line) inbox bound_inbox_;  // Anyone delivers; the owner takes.
  inbox wanted_inbox_;
  inbox open_inbox_;  // Anyone delivers; the owner or a rescuer takes.
  atomic<bool> rescue_{false};

  alignas(cache_line) atomic<std::uint32_t> note_{0};  // A note_state; a futex word.
};

// Wakes a parked core for work that was just published on `from`, if nobody is searching.
void wake_one_for(core& from) noexcept;

}  // namespace weft::inline v0::detail

#include "scheduler/core_inline.h"
