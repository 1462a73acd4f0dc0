// The record of a fiber: what exists of it from spawn to the last handle, before, beside and after its stack.
//
// Writers: `life`, `marks`, `references`, `end`, `on_stack` are shared; the rest is constant after launch(), or belongs
// to the fiber itself while it runs and to its joiners once `end` is done.
// Walkers and stale cancellers may look at a block whose fiber is over and in whose place a new one is being made: what
// they touch is atomic and never constructed anew, only stored to; the slab's zeroes are the first value of `life`.
// Protocol of reading without a reference (record_look.h): make_record() stores behind a release fence, which comes
//   after the store of `vacant`; launch() stores the id, then `fresh`  ||  a reader loads the life, the id, and what it
//   wants; full fence; loads life and id again. If it read anything of a later fiber, one of the two has changed.
#pragma once

#include "scheduler/completion.h"
#include "scheduler/fiber_care.h"
#include "scheduler/inbox.h"
#include "scheduler/spawn_site.h"

#include <weft/detail/fiber_body.h>

#include <exception>
#include <string_view>

namespace weft::inline v0::detail {

class scheduler;
struct activation;
struct context_array;

enum class fiber_life : std::uint8_t { vacant, fresh, started, ended };
enum class fiber_outcome : std::uint8_t { none, value, error, cancelled };

// What a fiber was asked to be; one word, so that the usual answer is copied whole.
struct alignas(8) fiber_traits {
  static constexpr std::uint16_t any_core = 0xffff;

  std::uint16_t core_wanted = any_core;
  std::uint8_t size_class = 0;
  weft::migration migration = weft::migration::at_start;
  weft::priority priority = weft::priority::normal;
  fiber_care care;
  bool has_separate_body = false;

  bool is_bound_from_start() const noexcept { return core_wanted != any_core; }
};
static_assert(sizeof(fiber_traits) == 8);

class fiber_record : public inbox_node {
 public:
  // Marks. Of the one that detaches and the fiber that ends with an error, the second reports the error.
  static constexpr std::uint16_t cancel_requested = 1;  // Of the fiber as a whole, for good; also cancelled at level 0.
  static constexpr std::uint16_t detached = 2;
  static constexpr std::uint16_t ended_with_error = 4;
  static constexpr std::uint16_t has_no_stack = 8;  // It ends with ENOMEM instead of starting.
  static constexpr unsigned reason_shift = 4;       // Two bits: the cancel_reason of the fiber as a whole.
  static constexpr unsigned cancelled_shift = 8;    // Eight bits: the levels with a cancellation, see cancellation.h.

  // The right to run a fiber that has not started: of all takers exactly one gets it.
  bool claim_start() noexcept {
    fiber_life fresh = fiber_life::fresh;
    // Acquire pairs with launch() where the record came through a queue that orders nothing itself.
    return life.compare_exchange_strong(fresh, fiber_life::started, acq_rel, relaxed);
  }

  bool is_cancelled() const noexcept { return (marks.load(relaxed) & cancel_requested) != 0; }
  std::uint8_t cancelled_levels() const noexcept {
    return static_cast<std::uint8_t>(marks.load(relaxed) >> cancelled_shift);
  }
  std::string_view name() const noexcept { return name_at(name_text.load(relaxed)); }
  // A name is kept as its length, in one byte, and its characters.
  static std::string_view name_at(const char* text) noexcept {
    return text != nullptr ? std::string_view(text + 1, static_cast<unsigned char>(*text)) : std::string_view();
  }

  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): see above.
  fiber_record() noexcept {}

  union {
    atomic<fiber_life> life;  // Vacant: the block holds no fiber; walkers of the slab skip it.
  };
  fiber_outcome outcome = fiber_outcome::none;
  union {
    atomic<std::uint16_t> marks;
  };
  atomic<std::uint32_t> references{0};
  union {
    atomic<activation*> on_stack;  // Where it runs; set at start, cleared at its end.
  };
  fiber_traits traits;

  const body_type* type = nullptr;
  void* body = nullptr;
  scheduler* home = nullptr;  // The runtime's scheduler; a handle may outlive it, see record_memory.h.
  union {
    atomic<std::uint64_t> id;  // Of no other fiber of the runtime.
  };
  union {
    completion end;
  };
  union {
    spawn_site site;
  };
  std::exception_ptr error;
  context_array* context = nullptr;  // Values of context_local variables; the fiber's own, once it is launched.
  union {
    atomic<const char*> name_text;  // Behind the body, in the same block; null for no name.
  };
};

static_assert(sizeof(fiber_record) <= record_bytes, "an un-started fiber is one record of 128 bytes and its closure");

}  // namespace weft::inline v0::detail
