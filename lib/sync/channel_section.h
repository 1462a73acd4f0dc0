// The time under a channel's lock, and what is done right after it: waking who was claimed, freeing memory.
#pragma once

#include "sync/channel_node.h"
#include "sync/wake_chain.h"

#include <weft/detail/channel_core.h>

namespace weft::inline v0::detail {

class channel_section {
 public:
  // Requires: the caller has locked `core`; the end of the section unlocks it.
  explicit channel_section(channel_core& core) noexcept : core_(core), ops_(core.ops_) {}

  ~channel_section() {
    core_.unlock();  // The channel may be gone from here on.
    if (!woken_.empty()) woken_.wake();
    if (surplus != nullptr) [[unlikely]]
      ops_.discard(surplus);
  }
  channel_section(const channel_section&) = delete;
  channel_section& operator=(const channel_section&) = delete;

  // Unlinks and claims the oldest who can be claimed; it is woken at the end, with `again` unless something better is
  // written to it. Null if there is none.
  channel_node* claim_front(wait_list_ends& list) noexcept {
    wait_node* const n = wait_list(list).claim_front(wake_reason::notified);
    if (n == nullptr) return nullptr;
    n->who.record->winner = n;
    woken_.add(*n);
    return static_cast<channel_node*>(n);
  }

  wake_chain& woken() noexcept { return woken_; }

  void* surplus = nullptr;

 private:
  channel_core& core_;
  const channel_ops& ops_;
  wake_chain woken_;
};

}  // namespace weft::inline v0::detail
