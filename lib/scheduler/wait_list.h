// A list of waiters in order of arrival. No lock of its own: every call is made under the lock of the object.
#pragma once

#include "scheduler/wait.h"

#include <weft/detail/wait_list_ends.h>

namespace weft::inline v0::detail {

class wait_list {
 public:
  explicit wait_list(wait_list_ends& ends) noexcept : ends_(ends) {}

  bool empty() const noexcept { return ends_.first == nullptr; }

  void push_back(wait_node& n) noexcept {
    n.next = nullptr;
    n.previous = ends_.last;
    (ends_.last != nullptr ? ends_.last->next : ends_.first) = &n;
    ends_.last = &n;
  }

  void push_front(wait_node& n) noexcept {
    n.previous = nullptr;
    n.next = ends_.first;
    (ends_.first != nullptr ? ends_.first->previous : ends_.last) = &n;
    ends_.first = &n;
  }

  // Requires: `n` is in this list, or unlinked (then nothing happens).
  void unlink(wait_node& n) noexcept {
    if (n.previous == nullptr && ends_.first != &n) return;
    (n.previous != nullptr ? n.previous->next : ends_.first) = n.next;
    (n.next != nullptr ? n.next->previous : ends_.last) = n.previous;
    n.next = n.previous = nullptr;
  }

  // Unlinks the oldest waiter that can still be claimed, claims it, and returns its node, which stays whole
  // until make_ready(); null if there is none. Nodes that others have claimed are unlinked on the way.
  wait_node* claim_front(wake_reason why) noexcept {
    while (ends_.first != nullptr) {
      wait_node& n = *ends_.first;
      unlink(n);
      if (claim(n.who, why)) {
        n.who.record->winner = &n;
        return &n;
      }
    }
    return nullptr;
  }

 private:
  wait_list_ends& ends_;
};

}  // namespace weft::inline v0::detail
