// What of a fiber exists only once it has started: it lies at the top of the stack that the fiber runs on.
//
// An activation outlives the fibers that use it one after the other; between them the stack lies in a pool. Its memory
// is type-stable for the life of the runtime.
//
// Run state, which decides who puts a woken fiber into a run queue:
//   running -> leaving    the fiber, before it registers anywhere (begin_wait)
//   leaving -> suspended  the post-switch action, when the stack is no longer in use
//   leaving -> ready      a waker: the post-switch action then fails to set `suspended` and enqueues the fiber itself
//   suspended -> ready    a waker, which enqueues it
//   leaving -> running    the fiber, where it did not need to suspend after all
//   ready -> running      whoever resumes it
#pragma once

#include "context/exception_state.h"
#include "context/sanitizer.h"
#include "context/stack.h"
#include "context/switch.h"
#include "scheduler/fiber_care.h"
#include "scheduler/inbox.h"
#include "scheduler/wait.h"

#include <weft/detail/fork_lane.h>

namespace weft::inline v0::detail {

class core;
class fiber_record;
class fork_join;
struct local_table;
struct no_suspend_mark;

enum class run_state : std::uint32_t { running, leaving, suspended, ready };

struct alignas(64) activation : stack_head, fork_seat, inbox_node, wait_record {
  // Written by the fiber, or by whoever resumes it.
  atomic<core*> seat{nullptr};      // The core it runs on, or ran on last: its home while it is bound. Read by reports.
  saved_context context = nullptr;  // Valid while suspended or ready.
  activation* next_ready = nullptr;  // Link of the owner-only run queue.
  std::uint16_t pins = 0;            // Open pin_guards.
  std::uint16_t guards = 0;          // Open no_suspend guards.
  bool is_reserve = false;           // Of its core, for fibers that get no stack of their own.
  bool migrates = false;             // migration::free.
  fiber_care care;                   // Of the fiber's traits.
  std::uint32_t cancel_throws = 0;   // Since it was last cancelled.
  const char* cancelled_call = "";   // Where it threw last.
  local_table* locals = nullptr;     // Of the fiber that runs on this stack; null between fibers.
  exception_state exceptions{};
  std::uint64_t float_control = 0;  // While it is suspended, if the fiber preserves it.
  [[no_unique_address]] sanitizer_identity sanitizer;

  atomic<run_state> run{run_state::running};  // Shared, see above; as is the wait record, see wait.h.
  // The fiber that runs on this stack. Read by cancellers: who sees an epoch sees the occupant of that wait.
  atomic<fiber_record*> occupant{nullptr};
  no_suspend_mark* no_suspend_marks = nullptr;  // Open no_suspend guards, innermost first. The fiber only.
  atomic<std::int64_t> since{0};                // When its last wait began, by its core's coarse clock.

  // For reports: of the wait of that epoch. Written by the fiber in the slow paths of waits.
  atomic<const void*> target{nullptr};
  atomic<owner_finder> target_owners{nullptr};
  atomic<std::uint64_t> target_epoch{0};     // Release: pairs with the readers of the two above.
  atomic<fork_join*> exposed_join{nullptr};  // See call_chain.h.
  atomic<std::uint32_t> exposed_lock{0};
  atomic<std::uint64_t> timed_epoch{0};  // The wait of this epoch has a deadline.
  // How many timeouts of each level are set around what the fiber does.
  atomic<std::uint16_t> timeouts[cancel_levels]{};

  bool is_bound() const noexcept { return !migrates || pins != 0; }
};

// For stack_arena_set.
void make_activation(void* memory, const stack_head& placed, std::uint64_t first_epoch) noexcept;
std::uint64_t last_epoch_of(const stack_head& head) noexcept;

// Requires: `r` is a fiber's.
inline activation& activation_of(wait_record& r) noexcept { return static_cast<activation&>(r); }

// Something that can run: a fiber that has started, or one that has not.
class runnable {
 public:
  constexpr runnable() noexcept = default;
  explicit runnable(activation* a) noexcept : bits_(reinterpret_cast<std::uintptr_t>(a)) {}
  explicit runnable(fiber_record* f) noexcept : bits_(f != nullptr ? reinterpret_cast<std::uintptr_t>(f) | 1 : 0) {}

  explicit operator bool() const noexcept { return bits_ != 0; }
  bool has_started() const noexcept { return (bits_ & 1) == 0; }
  activation* started() const noexcept { return reinterpret_cast<activation*>(bits_); }
  fiber_record* unstarted() const noexcept { return reinterpret_cast<fiber_record*>(bits_ & ~std::uintptr_t{1}); }

 private:
  std::uintptr_t bits_ = 0;
};

}  // namespace weft::inline v0::detail
