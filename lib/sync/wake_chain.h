// Waiters that were claimed under an object's lock, to be made ready once it is dropped.
#pragma once

#include "scheduler/wait.h"

namespace weft::inline v0::detail {

class wake_chain {
 public:
  wake_chain() = default;
  wake_chain(const wake_chain&) = delete;
  wake_chain& operator=(const wake_chain&) = delete;

  bool empty() const noexcept { return first_ == nullptr; }

  // Requires: `n` is claimed by the caller, and in no list.
  void add(wait_node& n) noexcept {
    n.next = nullptr;
    *end_ = &n;
    end_ = &n.next;
  }

  // Requires: no lock is held.
  void wake() noexcept {
    for (wait_node* n = first_; n != nullptr;) {
      wait_record& record = *n->who.record;
      n = n->next;  // Read first: the waiter's frame may be gone after make_ready().
      make_ready(record);
    }
    first_ = nullptr;
    end_ = &first_;
  }

 private:
  wait_node* first_ = nullptr;
  wait_node** end_ = &first_;
};

}  // namespace weft::inline v0::detail
