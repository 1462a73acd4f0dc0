// Debuggers find the fibers by the table at the end, whether or not weft was built with debug information: where in the
// structures of this build each member lies. packaging/gdb/weft_gdb.py reads it, in this order.
#include "scheduler/alive_schedulers.h"

#include "context/saved_frame.h"
#include "scheduler/scheduler.h"

#include <cstdint>
#include <mutex>

// The members are plain, and the bases not virtual: every compiler that weft supports knows where they are.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace weft::inline v0::detail {

struct debugger_layout {
  static const void* newest_chunk_of(const slab_chunk_source& s) noexcept { return &s.newest_; }

  static constexpr std::uint32_t version = 3;
  static constexpr std::uint32_t has_std_location =
#ifdef __cpp_lib_source_location
      1;
#else
      0;
#endif
};

namespace {
std::mutex list_lock;
std::size_t alive = 0;
}  // namespace

extern "C" {
extern alive_entry* weft_debugger_runtimes;
extern const std::uint32_t weft_debugger_layout[];

// `retain` keeps them from --gc-sections.
[[gnu::used, gnu::retain]] alive_entry* weft_debugger_runtimes = nullptr;
[[gnu::used, gnu::retain]] const std::uint32_t weft_debugger_layout[] = {
    debugger_layout::version,
    // Chunks of the slab.
    offsetof(slab_chunk, older),
    offsetof(slab_chunk, block_bytes),
    offsetof(slab_chunk, carved),
    slab_chunk::first_block,
    slab_chunk::bytes,
    // Records.
    offsetof(fiber_record, life),
    offsetof(fiber_record, on_stack),
    offsetof(fiber_record, id),
    offsetof(fiber_record, name_text),
    offsetof(fiber_record, site),
    debugger_layout::has_std_location,
    // Activations.
    offsetof(activation, run),
    offsetof(activation, waits_for),
    offsetof(activation, context),
    offsetof(activation, seat),
    offsetof(activation, occupant),
    // Cores.
    offsetof(core, index),
    offsetof(core, thread_id),
    // Saved contexts.
    saved_context_layout.pc,
    saved_context_layout.frame_pointer,
    saved_context_layout.stack_pointer,
};
}

alive_entry::alive_entry(const scheduler& s) noexcept
    : newest_chunk_(debugger_layout::newest_chunk_of(s.records)), cores_(&s.cores) {
  const std::scoped_lock hold(list_lock);
  next_ = weft_debugger_runtimes;
  weft_debugger_runtimes = this;
  ++alive;
}

alive_entry::~alive_entry() {
  const std::scoped_lock hold(list_lock);
  alive_entry** link = &weft_debugger_runtimes;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
  --alive;
}

std::size_t alive_schedulers() noexcept {
  const std::scoped_lock hold(list_lock);
  return alive;
}

}  // namespace weft::inline v0::detail
