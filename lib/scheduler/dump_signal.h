// A signal that asks for a dump.
//
// Roles: *monitors* enter and leave a table; a *handler*, on any thread, asks every monitor in it.
// Invariant: a monitor that has left is not touched by a handler any more.
// Protocol: the handler counts itself in, full fence, reads the table  ||  a monitor clears its place, full fence, waits
//   until no handler is inside.
#pragma once

#include <cstddef>

namespace weft::inline v0::detail {

class monitor;

// While one lives, the signal makes `m` dump its runtime. Nothing happens for signal 0, nor when all places are taken.
class dump_request_entry {
 public:
  dump_request_entry(monitor& m, int signal) noexcept;
  ~dump_request_entry();
  dump_request_entry(const dump_request_entry&) = delete;
  dump_request_entry& operator=(const dump_request_entry&) = delete;

 private:
  int signal_ = 0;
  std::size_t place_ = 0;
};

}  // namespace weft::inline v0::detail
