// A new record in a block of its own.
#pragma once

#include "scheduler/record.h"

#include <new>

namespace weft::inline v0::detail {

class scheduler;

// Vacant to walkers until its life is set to fresh, which launches it; its id is set before.
WEFT_ALWAYS_INLINE fiber_record* make_record(void* block, scheduler& s, const body_type& type,
                                             const fiber_traits& traits, source_location site,
                                             bool is_detached) noexcept {
  release_fence();  // Pairs with record_look: whoever sees what is stored from here on finds the last fiber's life over.
  auto* const f = ::new (block) fiber_record;
  f->traits = traits;
  f->type = &type;
  f->body = static_cast<std::byte*>(block) + type.body_offset;
  f->home = &s;
  f->end.restart();
  f->site.store(site);
  f->name_text.store(nullptr, relaxed);
  f->marks.store(is_detached ? fiber_record::detached : std::uint16_t{0}, relaxed);
  f->references.store(is_detached ? 1 : 2, relaxed);  // Its run, and its handle.
  return f;
}

}  // namespace weft::inline v0::detail
