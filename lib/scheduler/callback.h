// Callbacks in the list of a completion: nodes without a waiter, which carry a function instead.
#pragma once

#include "scheduler/completion.h"

#include <weft/detail/callback.h>

namespace weft::inline v0::detail {

struct callback_node : wait_node {
  const callback_type* type = nullptr;
  void* function = nullptr;
  bool keeps_runtime = false;  // That of the fiber whose end calls it.
};

inline bool is_callback(const wait_node& n) noexcept { return n.who.record == nullptr; }

// Calls `n` once `c` is done: at once on the caller if it is, else on whoever finishes it. Shielded; what it throws is
// reported as an error that nobody joins.
void call_when_done(completion& c, callback_node& n) noexcept;

// Calls and frees all from `first` on.
void run_callbacks(wait_node* first) noexcept;

// Frees it without a call.
void drop_callback(wait_node* n) noexcept;

}  // namespace weft::inline v0::detail
