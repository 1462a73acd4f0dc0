// What of a core and of a running stack fork-join uses where it is inlined into programs.
#pragma once

#include <weft/detail/atomic.h>
#include <weft/detail/cancel_frame.h>
#include <weft/detail/exception_state.h>
#include <weft/detail/here_word.h>
#include <weft/detail/work_deque.h>

#include <cstddef>
#include <cstdint>

namespace weft::inline v0::detail {

class fork_join;

// A child that has not run. Filled by whoever forks it.
struct fork_node {
  void (*run)(const fork_node& self);  // Calls it, and keeps the result; throws what it throws.
  const void* call;
  void* slot;

  fork_join* join;
  fiber_record* fiber;  // This and what follows: of an outside child, under the lock of the join.
  fork_node* next;
  fork_node* previous;
  bool is_told;
};

// The part of an activation, by the fiber that runs on it.
struct fork_seat {
  cancel_frame* frames = nullptr;  // Scopes that the fiber is in, the innermost first.
  // Who runs here, as locks see it: the occupant's address, or that of the join whose child is called on this stack.
  std::uintptr_t identity = 0;
  fiber_record* fiber = nullptr;                 // The occupant.
  const atomic<std::uint16_t>* marks = nullptr;  // The occupant's; the upper byte tells what cancels it.
  std::uintptr_t child_floor = 0;                // A child is called here only from a frame above it.
  bool forks_inline = false;                     // A plain child may be called on this stack.
  bool has_variables = false;                    // Fiber-locals or a context may exist.
  std::uint16_t shield_depth = 0;                // Open shields.
  std::uint8_t level = 1;                        // The cancel level of that depth, as a bit.
};

// Behind the stack_head, at the start of an activation.
inline constexpr std::size_t fork_seat_offset = 40;

inline fork_seat& seat_of(activation* a) noexcept {
  return *reinterpret_cast<fork_seat*>(reinterpret_cast<std::byte*>(a) + fork_seat_offset);
}

// The start of a core. By its worker, but for the thieves of the deque.
struct fork_lane {
  static constexpr std::uint32_t operations_per_turn = 64;

  fork_lane(std::size_t deque_capacity, bool has_thieves) : forks(deque_capacity, has_thieves) {}

  activation* current = nullptr;  // The stack that runs; null on the thread stack.
  exception_state* thread_exceptions = nullptr;
  const atomic<std::uint32_t>* parked_cores = nullptr;
  const atomic<std::uint32_t>* searching_cores = nullptr;
  atomic<std::uint64_t> forked{0};                      // Counted by the worker, read by anyone.
  atomic<bool> is_overdue{false};                       // A round has lasted very long. The monitor sets it.
  std::uint32_t operations_left = operations_per_turn;  // That do not wait, until one lets others run.
  work_deque<fork_node> forks;                          // Of the stack that runs, see fork_join.h.
};

// Null on threads that are no workers.
WEFT_ALWAYS_INLINE fork_lane* lane_here() noexcept {
  const std::uintptr_t word = here_word();
  return (word & 1) == 0 ? reinterpret_cast<fork_lane*>(word) : nullptr;
}

// For code that runs in a fiber.
WEFT_ALWAYS_INLINE fork_lane* lane_of_worker() noexcept { return reinterpret_cast<fork_lane*>(here_word()); }

}  // namespace weft::inline v0::detail
