// Whether a descriptor is ready, asked of the system without taking anything from it.
#pragma once

#include "platform/system_calls.h"
#include "reactor/slot_table.h"

#include <cerrno>

namespace weft::inline v0::detail {

// Returns: 1 if a call in direction `d` would not wait, be it for an error or the end; -EAGAIN; another -errno.
inline int ask_whether_possible(int fd, direction d) noexcept {
  pollfd asked{fd, static_cast<short>(d == direction::read ? POLLIN : POLLOUT), 0};
  const timespec at_once{0, 0};
  const int count = sys().poll(&asked, 1, &at_once);
  return count == 0 ? -EAGAIN : count;
}

}  // namespace weft::inline v0::detail
