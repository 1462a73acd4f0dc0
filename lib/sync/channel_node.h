// The place of a sender or a receiver, plain or of a select, in a channel's list of waiters.
#pragma once

#include "scheduler/wait.h"
#include "scheduler/wait_list.h"

#include <weft/detail/select_case.h>

#include <new>

namespace weft::inline v0::detail {

enum class channel_outcome : std::uint8_t {
  again,   // Closed, or moving the value failed: look again.
  handed,  // The value has been moved, out of `place` or into it.
};

struct channel_node : wait_node {
  void* place = nullptr;                             // A sender's T, a receiver's std::optional<T>.
  channel_outcome outcome = channel_outcome::again;  // Written by the claimer before make_ready().
};

static_assert(sizeof(channel_node) <= sizeof(select_case::node) && alignof(channel_node) <= alignof(void*));

// Requires: select() has made it.
inline channel_node& node_of(select_case& c) noexcept {
  return *std::launder(reinterpret_cast<channel_node*>(&c.node));
}

}  // namespace weft::inline v0::detail
