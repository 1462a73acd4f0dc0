// The right to be in the middle of a read (or a write) on a stream. A second fiber must not put its bytes between those
// of a call that was suspended half-way: it gets EBUSY, whether or not the first happens to wait just now.
#pragma once

#include <weft/detail/atomic.h>

namespace weft::inline v0::detail {

class direction_turn {
 public:
  class guard {
   public:
    // Acquire pairs with the release of ~guard(): turns follow one another.
    explicit guard(direction_turn& turn) noexcept : turn_(turn.taken_.exchange(true, acquire) ? nullptr : &turn) {}
    ~guard() {
      if (turn_ != nullptr) turn_->taken_.store(false, release);
    }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;

    explicit operator bool() const noexcept { return turn_ != nullptr; }

   private:
    direction_turn* turn_;
  };

 private:
  atomic<bool> taken_{false};
};

}  // namespace weft::inline v0::detail
