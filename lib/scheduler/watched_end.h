// A place in the list of a completion that stands for no wait of its own: the finisher notes the end with whom it
// belongs to.
#pragma once

#include "scheduler/wait.h"

namespace weft::inline v0::detail {

struct ends_watch_list;

struct watched_end : wait_node {
  static constexpr std::uint64_t mark = 1;  // In place of an epoch: callbacks have none.
  watched_end() noexcept { who.epoch = mark; }
};

inline bool is_watched_end(const wait_node& n) noexcept {
  return n.who.record == nullptr && n.who.epoch == watched_end::mark;
}

// The finisher, before it says that it is done. Returns: null, or a watcher that it has claimed, for make_ready().
wait_record* note_watched_end(watched_end& n) noexcept;

}  // namespace weft::inline v0::detail
