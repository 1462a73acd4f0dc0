// Finding a partner, for the operations of a channel and for the cases of a select.
#pragma once

#include "sync/channel_section.h"

namespace weft::inline v0::detail {

// Under the lock. Throws what moving throws; whoever was claimed for it is woken with `again`.
WEFT_ALWAYS_INLINE channel_status channel_core::offer(void* value, channel_section& section) {
  if (is_closed_) [[unlikely]]
    return channel_status::closed;
  if (receivers_.first != nullptr) {
    if (channel_node* const n = section.claim_front(receivers_)) {
      ops_.hand_over(n->place, value);
      n->outcome = channel_outcome::handed;
      ++unfinished_;
      return channel_status::done;
    }
  }
  if (count_ >= limit_) return channel_status::would_wait;
  if (!ops_.has_memory(*this)) return channel_status::no_memory;
  ops_.put(*this, value);
  note_put();
  return channel_status::done;
}

WEFT_ALWAYS_INLINE channel_status channel_core::accept(void* place, channel_section& section) {
  if (count_ != 0) {
    ops_.take(*this, place);
    --count_;
    if (senders_.first != nullptr) refill(section);
    return channel_status::done;
  }
  if (senders_.first != nullptr) {
    if (channel_node* const n = section.claim_front(senders_)) {
      ops_.hand_over(place, n->place);
      n->outcome = channel_outcome::handed;
      ++unfinished_;
      return channel_status::done;
    }
  }
  if (!is_closed_) [[likely]]
    return channel_status::would_wait;
  return error_ == nullptr ? channel_status::closed : channel_status::broken;
}

}  // namespace weft::inline v0::detail
