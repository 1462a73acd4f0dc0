// Giving up references to fiber records.
#pragma once

#include "scheduler/record.h"

namespace weft::inline v0::detail {

// Of a fiber that has ended: whether there is more to free than its memory.
inline bool leaves_anything(const fiber_record& f) noexcept {
  return (f.outcome == fiber_outcome::value && f.type->destroy_result != nullptr) || f.error != nullptr ||
         f.context != nullptr;
}

// The record of a fiber that ended, nobody holds it any more.
void free_ended(fiber_record& f) noexcept;

// A record whose fiber never was.
void free_unlaunched(fiber_record& f) noexcept;

// Gives one reference up; the last one frees the record, with its result if nobody took it.
WEFT_ALWAYS_INLINE void give_up(fiber_record& f) noexcept {
  // The last holder needs no locked instruction to know that it is the last. Acquire: the others' last accesses.
  if (f.references.load(acquire) == 1 || f.references.fetch_sub(1, acq_rel) == 1) free_ended(f);
}

}  // namespace weft::inline v0::detail
