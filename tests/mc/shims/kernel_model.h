// The kernel's side of descriptors under the model checker: sockets with bytes that have arrived, and pollers that
// watch them, edge-triggered. A call is one step, and orders what a lock in the kernel orders: who sends and who receives,
// who adds a descriptor and who fetches its event, who wakes a poller and who takes that.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft_mc {

// A connection: its number here may be another one's once it is closed.
struct socket {
  int fd = -1;
  unsigned connection = 0;
};

struct kernel {
  static void begin();  // Of an execution: no socket is open.

  // Has the lowest number that is free, as POSIX wants it.
  static socket open_socket();
  static int close(int fd);  // Returns: 0, or -EBADF.

  // The peer. Each is an edge; nothing happens where the socket is closed.
  static void arrive(const socket& s, std::size_t bytes);
  static void end_stream(const socket& s);
  static void make_room(const socket& s);  // Nothing could be sent until now.

  // As recv(2) and send(2) on a non-blocking socket: a count, or -errno.
  static std::ptrdiff_t receive(int fd, std::size_t most);
  static std::ptrdiff_t send(int fd);
};

}  // namespace weft_mc
