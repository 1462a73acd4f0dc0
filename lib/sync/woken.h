// Waiters that were claimed under the lock of their object, to be made ready once it is dropped.
#pragma once

#include "scheduler/wait.h"

namespace weft::inline v0::detail {

class woken_waiters {
 public:
  woken_waiters() noexcept = default;
  woken_waiters(const woken_waiters&) = delete;
  woken_waiters& operator=(const woken_waiters&) = delete;

  // Requires: `n` is claimed, and in no list.
  void add(wait_node& n) noexcept {
    n.next = nullptr;
    *end_ = &n;
    end_ = &n.next;
  }

  // In the order in which they were added. Requires: no lock is held.
  void make_ready() noexcept {
    while (first_ != nullptr) {
      wait_record& record = *first_->who.record;
      first_ = first_->next;  // Read first: the waiter's frame may be gone once it is ready.
      detail::make_ready(record);
    }
  }

 private:
  wait_node* first_ = nullptr;
  wait_node** end_ = &first_;
};

}  // namespace weft::inline v0::detail
