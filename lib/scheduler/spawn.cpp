// From a closure to an un-started fiber in a queue.
#include "platform/process.h"
#include "scheduler/cancellation.h"
#include "scheduler/context_local.h"
#include "scheduler/fiber_local.h"
#include "scheduler/make_record.h"
#include "scheduler/record.h"
#include "scheduler/record_memory.h"
#include "scheduler/release.h"
#include "scheduler/scheduler.h"
#include "scheduler/scheduler_of.h"

#include <weft/detail/fiber_body.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

namespace weft::inline v0::detail {

namespace {

[[noreturn]] WEFT_COLD void refuse(const std::string& what) { throw std::invalid_argument("weft::spawn: " + what); }

[[noreturn]] WEFT_COLD void refuse_outside() {
  const char* const what =
      forked_child() ? "weft::spawn: this process is a fork of one that runs weft; a runtime does not survive fork()"
                     : "weft::spawn: called outside a fiber; call it inside weft::run(), or use runtime::spawn()";
  throw std::system_error(std::make_error_code(std::errc::operation_not_permitted), what);
}

void check_attributes(const scheduler& s, const attributes& wanted) {
  if (wanted.name.size() > attributes::longest_name) {
    refuse("the name \"" + std::string(wanted.name) + "\" has " + std::to_string(wanted.name.size()) +
           " characters: at most " + std::to_string(attributes::longest_name) + " are possible");
  }
  if (wanted.core && *wanted.core >= s.cores.size()) {
    refuse("core " + std::to_string(*wanted.core) + ": the runtime has cores 0 to " +
           std::to_string(s.cores.size() - 1));
  }
  if (wanted.stack_bytes != 0 && stack_class_for(wanted.stack_bytes) < 0) {
    refuse("a stack of " + std::to_string(wanted.stack_bytes) + " bytes: between " + std::to_string(min_stack_bytes) +
           " and " + std::to_string(max_stack_bytes) + " are possible");
  }
}

fiber_traits traits_of(const scheduler& s, const attributes& wanted) noexcept {
  fiber_traits traits = s.usual_traits;
  if (wanted.stack_bytes != 0) traits.size_class = static_cast<std::uint8_t>(stack_class_for(wanted.stack_bytes));
  if (wanted.migration) traits.migration = *wanted.migration;
  if (wanted.core) traits.core_wanted = static_cast<std::uint16_t>(*wanted.core);
  traits.priority = wanted.priority;
  if (wanted.preserve_fp) traits.care.bits |= fiber_care::preserve_fp;
  return traits;
}

void free_body(fiber_record& f) noexcept {
  if (f.traits.has_separate_body) ::operator delete (f.body, std::align_val_t{f.type->alignment});
}

// With attributes, from another thread, or with a body that does not fit behind the record.
WEFT_COLD fiber_record* new_unusual_fiber(scheduler& s, const attributes& wanted, const body_type& type,
                                          source_location site, bool is_detached) {
  check_attributes(s, wanted);
  fiber_traits traits = traits_of(s, wanted);
  const std::size_t name_bytes = wanted.name.empty() ? 0 : 1 + wanted.name.size();
  traits.has_separate_body =
      type.alignment > slab_heap::block_alignment || type.body_offset + type.bytes + name_bytes > largest_record_block;
  const std::size_t name_offset = traits.has_separate_body ? record_bytes : type.body_offset + type.bytes;
  core* const c = here();
  const std::size_t bytes = name_offset + name_bytes;
  void* const block = c != nullptr && &c->owner == &s ? c->slab.allocate(bytes) : s.records.outside.allocate(bytes);
  fiber_record* const f = make_record(block, s, type, traits, site, is_detached);
  if (traits.has_separate_body) {
    f->traits.has_separate_body = false;
    try {
      f->body = ::operator new (type.bytes, std::align_val_t{type.alignment});
    } catch (...) {
      free_unlaunched(*f);
      throw;
    }
    f->traits.has_separate_body = true;
  }
  if (!wanted.name.empty()) {
    char* const text = static_cast<char*>(block) + name_offset;
    static_assert(attributes::longest_name <= 255);
    *text = static_cast<char>(wanted.name.size());
    std::memcpy(text + 1, wanted.name.data(), wanted.name.size());
    f->name_text.store(text, relaxed);  // Published by launch().
  }
  return f;
}

// Spawned by a thread that is no worker of `s`, or wanted on one core.
WEFT_COLD void launch_unusual(scheduler& s, fiber_record& f, core* inside) {
  const scheduler::visit going_on(s);  // The fiber may end its runtime while we still wake a core for it.
  if (inside != nullptr) {
    inside->counters.spawned.add();
  } else {
    s.spawned_outside.fetch_add(1, relaxed);
  }
  if (f.traits.is_bound_from_start()) {
    s.cores[f.traits.core_wanted]->deliver_unstarted(f);
    return;
  }
  try {
    s.inject(f);
  } catch (...) {
    s.spawned_outside.fetch_sub(1, relaxed);
    throw;
  }
}

}  // namespace

fiber_record* new_fiber(runtime* where, const attributes* wanted, const body_type& type, source_location site,
                        bool is_detached) {
  core* const c = here();
  if (where == nullptr && wanted == nullptr && c != nullptr && type.block_bytes != 0) [[likely]] {
    return make_record(c->slab.allocate(type.block_bytes), c->owner, type, c->owner.usual_traits, site, is_detached);
  }
  if (forked_child() || (where == nullptr && c == nullptr)) refuse_outside();
  scheduler& s = where != nullptr ? scheduler_of(*where) : c->owner;
  return new_unusual_fiber(s, wanted != nullptr ? *wanted : attributes{}, type, site, is_detached);
}

void* body_of(fiber_record* fiber) noexcept { return fiber->body; }

// Who cancels a scope may have found its new child already, and hold it: then it is freed by them.
void abandon(fiber_record* fiber) noexcept {
  const std::uint32_t ours = (fiber->marks.load(relaxed) & fiber_record::detached) != 0 ? 1 : 2;
  if (fiber->references.fetch_sub(ours, acq_rel) == ours) free_unlaunched(*fiber);
}

void launch(fiber_record* fiber) {
  if (contexts_are_in_use.load(relaxed)) [[unlikely]]
    inherit_context(*fiber);
  fiber_record& f = *fiber;
  scheduler& s = *f.home;
  core* const c = here();
  core* const inside = c != nullptr && &c->owner == &s ? c : nullptr;
  // Release: pairs with record_look, as the store of its life does.
  f.id.store(inside != nullptr ? inside->take_fiber_id() : s.new_fiber_id(), release);
  if (s.is_draining()) mark_cancelled(f, cancel_reason::shutdown);
  f.life.store(fiber_life::fresh, release);  // The queues publish it to the cores.
  try {
    if (inside != nullptr && !f.traits.is_bound_from_start()) [[likely]] {
      c->put_unstarted(f);
    } else {
      launch_unusual(s, f, inside);
    }
  } catch (...) {
    f.type->destroy_closure(f.body);
    abandon(fiber);
    throw;
  }
}

void add_reference(fiber_record* fiber) noexcept { fiber->references.fetch_add(1, relaxed); }

void release_fiber(fiber_record* fiber) noexcept { give_up(*fiber); }

void free_unlaunched(fiber_record& f) noexcept {
  if (f.context != nullptr) release_context(f.context);
  free_body(f);
  core* const c = here();
  f.life.store(fiber_life::vacant, relaxed);
  slab_heap::release(&f, c != nullptr && &c->owner == f.home ? &c->slab : nullptr);
}

void destroy_taken_result(fiber_record* fiber) noexcept {
  fiber->outcome = fiber_outcome::none;
  fiber->type->destroy_result(fiber->body);
}

// What it leaves behind, but for its memory. On its own stack, if nobody else held it.
WEFT_NOINLINE static void destroy_leavings(fiber_record& f) noexcept {
  if (f.outcome == fiber_outcome::value && f.type->destroy_result != nullptr) f.type->destroy_result(f.body);
  f.error = nullptr;
  if (f.context != nullptr) release_context(f.context);  // Made after its end, by a callback.
  end_late_locals(f);
}

void free_ended(fiber_record& f) noexcept {
  if (leaves_anything(f)) destroy_leavings(f);
  free_body(f);
  core* const c = here();  // Afresh: what was just destroyed may have suspended us.
  record_memory& memory = record_memory::of(&f);
  // By the memory: the place of a runtime that is gone may be that of another one.
  if (c != nullptr && &c->owner.records == &memory) {
    f.life.store(fiber_life::vacant, relaxed);
    slab_heap::release(&f, &c->slab);
    return;
  }
  {
    const record_memory::visit staying(memory);
    if (staying.owner() != nullptr) {
      f.life.store(fiber_life::vacant, release);
      slab_heap::release(&f, nullptr);
      return;
    }
  }
  memory.let_go();
}

}  // namespace weft::inline v0::detail
