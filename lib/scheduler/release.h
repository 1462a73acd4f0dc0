// Giving up references to fiber records.
#pragma once

#include "scheduler/record.h"

namespace weft::inline v0::detail {

// To the slab it came from. Touches neither core nor scheduler of the record: both may be gone.
void free_record(fiber_record& f) noexcept;
void free_body(fiber_record& f) noexcept;
void free_ended(fiber_record& f, bool is_orphan) noexcept;

// Gives one reference up; the last one frees the record, with its result if nobody took it.
WEFT_ALWAYS_INLINE void give_up(fiber_record& f) noexcept {
  // The last holder needs no locked instruction to know that it is the last. Acquire: the others' last accesses.
  std::uint32_t left = f.references.load(acquire);
  if (left != 1) left = f.references.fetch_sub(1, acq_rel);
  if ((left & ~fiber_record::orphan_bit) == 1) free_ended(f, (left & fiber_record::orphan_bit) != 0);
}

}  // namespace weft::inline v0::detail
