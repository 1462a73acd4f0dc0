// Who of the fibers that accept on one listener waits for the descriptor, and how they all stop.
//
// Roles: *acceptors* (fibers) enter, leave and hold off; anyone closes, once.
// Invariant: between enter() and leave() an acceptor is alone; whoever waits is in one of the two lists and
//   is woken by leave(), by its deadline, by cancellation or by close().
// Protocol: as in scheduler/wait.h, with `lock_` as the object's lock. leave() hands the turn over:
//   `is_taken_` stays set, and the next acceptor owns it when it wakes.
#pragma once

#include "platform/spin_lock.h"
#include "scheduler/wait_list.h"

#include <weft/detail/wait_list_ends.h>

#include <cstdint>

namespace weft::inline v0::detail {

class accept_turn {
 public:
  // Waits for the turn, in order of arrival. Returns 0, or EPERM (not a fiber), EBADF (closed), ETIMEDOUT, ECANCELED.
  int enter(std::int64_t deadline) noexcept;

  // Requires: the caller has the turn.
  void leave() noexcept;

  // Waits until `moment`, keeping the turn. Returns 0, or EBADF, ECANCELED.
  int hold_off(std::int64_t moment) noexcept;

  // Every wait, now and later, ends with EBADF.
  void close() noexcept;

 private:
  // Waits in `list`. Requires: `lock_` is held; it is not on return.
  wake_reason wait_in(wait_list list, std::int64_t deadline) noexcept;

  // Claims a waiter for close(); null when there is none.
  wait_node* claim_for_close() noexcept;

  spin_lock lock_;
  bool is_taken_ = false;
  bool is_closed_ = false;
  wait_list_ends entering_;
  wait_list_ends holding_off_;
};

}  // namespace weft::inline v0::detail
