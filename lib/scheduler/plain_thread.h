// The record by which a thread that is no worker waits.
#pragma once

#include "scheduler/wait.h"

#include <weft/detail/atomic.h>

#include <cstdint>

namespace weft::inline v0::detail {

struct context_array;
struct local_table;

// Type-stable: records go from thread to thread and are never freed, so that a late waker touches a live one.
struct thread_record : wait_record {
  atomic<std::uint32_t> woken{0};  // A futex word: 1 once make_ready() was called for the wait under way.
  local_table* locals = nullptr;   // The thread's own, as the next one.
  context_array* context = nullptr;
  thread_record* next_free = nullptr;
};

// The calling thread's record, made at its first call. Requires: not a worker thread.
// Throws: std::bad_alloc.
thread_record& this_thread_record();

// Requires: `r` is a plain thread's.
inline thread_record& thread_record_of(wait_record& r) noexcept { return static_cast<thread_record&>(r); }

}  // namespace weft::inline v0::detail
