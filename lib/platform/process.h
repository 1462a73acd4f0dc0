// What becomes of weft in a child made by fork(): only the forking thread lives on there, and the kernel's
// queues are shared with the parent, so everything fails fast instead.
#pragma once

#include <weft/detail/atomic.h>

namespace weft::inline v0::detail {

// Set by the hook in the child alone, before fork() returns there, when nothing else runs.
extern atomic<bool> forked_child_flag;

// Whether this process is a child, or a child's child, of one that forked while it was watching.
inline bool forked_child() noexcept {
  return forked_child_flag.load(relaxed);  // Written only while the process has one thread: never stale.
}

// From here to the matching unwatch_fork(), a fork() leaves a child whose forked_child() is true.
// posix_spawn() and vfork() are not concerned.
// Throws: std::system_error when the hook cannot be registered.
void watch_fork();
void unwatch_fork() noexcept;

// Has `hook` called in each such child, before fork() returns there. It may do only what a signal handler may.
// Returns: 0, or ENOSPC when 16 are registered already. Registering the same one again does nothing.
int register_fork_child(void (*hook)()) noexcept;

}  // namespace weft::inline v0::detail
