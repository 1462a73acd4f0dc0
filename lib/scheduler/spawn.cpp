// From a closure to an un-started fiber in a queue.
#include "platform/process.h"
#include "scheduler/orphanage.h"
#include "scheduler/record.h"
#include "scheduler/scheduler.h"
#include "scheduler/scheduler_of.h"

#include <weft/detail/fiber_body.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

namespace weft::inline v0::detail {

namespace {

[[noreturn]] WEFT_COLD void refuse(const std::string& what) {
  throw std::invalid_argument("weft::spawn: " + what);
}

[[noreturn]] WEFT_COLD void refuse_outside() {
  if (forked_child()) {
    throw std::system_error(
        std::make_error_code(std::errc::operation_not_permitted),
        "weft::spawn: this process is a fork of one that runs weft; a runtime does not survive fork()");
  }
  throw std::system_error(
      std::make_error_code(std::errc::operation_not_permitted),
      "weft::spawn: called outside a fiber; call it inside weft::run(), or use runtime::spawn()");
}

std::uint8_t checked_stack_class(std::size_t bytes) {
  const int c = stack_class_for(bytes);
  if (c < 0) {
    refuse("a stack of " + std::to_string(bytes) + " bytes: between " + std::to_string(min_stack_bytes) +
           " and " + std::to_string(max_stack_bytes) + " are possible");
  }
  return static_cast<std::uint8_t>(c);
}

WEFT_COLD void check_attributes(const scheduler& s, const attributes& wanted) {
  if (wanted.name.size() > attributes::longest_name) {
    refuse("the name \"" + std::string(wanted.name) + "\" has " + std::to_string(wanted.name.size()) +
           " characters: at most " + std::to_string(attributes::longest_name) + " are possible");
  }
  if (wanted.core && *wanted.core >= s.cores.size()) {
    refuse("core " + std::to_string(*wanted.core) + ": the runtime has cores 0 to " +
           std::to_string(s.cores.size() - 1));
  }
  if (wanted.stack_bytes != 0) checked_stack_class(wanted.stack_bytes);
}

constexpr std::size_t round_up(std::size_t n, std::size_t to) noexcept {
  return (n + to - 1) / to * to;
}

constexpr std::size_t largest_block = 1024;

// Where the body lies behind its record, and the name behind the body.
struct block_layout {
  std::size_t body = 0;
  std::size_t name = 0;
  std::size_t bytes = 0;
  bool is_separate = false;

  block_layout(const body_type& type, std::size_t name_length) noexcept {
    is_separate = type.alignment > alignof(fiber_record) ||
                  round_up(sizeof(fiber_record), type.alignment) + type.bytes + name_length > largest_block;
    body = is_separate ? sizeof(fiber_record) : round_up(sizeof(fiber_record), type.alignment);
    name = is_separate ? body : body + type.bytes;
    bytes = name + name_length;
  }
};

void set_attributes(fiber_record& f, const scheduler& s, const attributes& wanted) noexcept {
  f.size_class = static_cast<std::uint8_t>(
      stack_class_for(wanted.stack_bytes != 0 ? wanted.stack_bytes : s.wanted.stack_bytes));
  f.migration = wanted.migration.value_or(s.wanted.migration);
  f.priority = wanted.priority;
  f.core_wanted = wanted.core ? static_cast<std::uint16_t>(*wanted.core) : fiber_record::any_core;
}

void free_body(fiber_record& f) noexcept {
  if (f.has_separate_body) ::operator delete (f.body, std::align_val_t{f.type->alignment});
}

// To the slab it came from. Touches neither core nor scheduler: both may be gone.
void free_record(fiber_record& f) noexcept {
  free_body(f);
  core* const c = here();
  slab_heap* const mine = c != nullptr && &c->owner == f.home ? &c->slab : nullptr;
  f.life.store(fiber_life::vacant, relaxed);
  slab_heap::release(&f, mine);
}

}  // namespace

fiber_record* new_fiber(runtime* where, const attributes& wanted, const body_type& type,
                        std::source_location site, bool is_detached) {
  core* const c = here();
  scheduler* const s = where != nullptr ? &scheduler_of(*where) : c != nullptr ? &c->owner : nullptr;
  if (s == nullptr || forked_child()) refuse_outside();
  if (!wanted.name.empty() || wanted.core || wanted.stack_bytes != 0) check_attributes(*s, wanted);
  const block_layout layout(type, wanted.name.size());
  void* const block = c != nullptr && &c->owner == s ? c->slab.allocate(layout.bytes)
                                                     : s->records.outside.allocate(layout.bytes);
  auto* const f = ::new (block) fiber_record;
  f->body = static_cast<std::byte*>(block) + layout.body;
  if (layout.is_separate) {
    try {
      f->body = ::operator new (type.bytes, std::align_val_t{type.alignment});
    } catch (...) {
      free_record(*f);
      throw;
    }
    f->has_separate_body = true;
  }
  if (!wanted.name.empty()) {
    char* const text = static_cast<char*>(block) + layout.name;
    std::memcpy(text, wanted.name.data(), wanted.name.size());
    f->name_text = text;
    f->name_length = static_cast<std::uint8_t>(wanted.name.size());
  }
  f->type = &type;
  f->home = s;
  f->site = site;
  if (is_detached) f->marks.store(fiber_record::detached, relaxed);
  f->references.store(is_detached ? 1 : 2, relaxed);  // Its run, and its handle.
  set_attributes(*f, *s, wanted);
  return f;
}

void* body_of(fiber_record* fiber) noexcept {
  return fiber->body;
}

void abandon(fiber_record* fiber) noexcept {
  free_record(*fiber);
}

void launch(fiber_record* fiber) {
  fiber_record& f = *fiber;
  scheduler& s = *f.home;
  core* const c = here();
  const bool is_inside = c != nullptr && &c->owner == &s;
  f.id = is_inside ? std::exchange(c->next_fiber_id, c->next_fiber_id + s.cores.size()) : s.new_fiber_id();
  if (s.is_draining()) f.marks.fetch_or(fiber_record::cancel_requested, relaxed);
  f.life.store(fiber_life::fresh,
               release);  // Pairs with for_each_fiber(); the queues publish it to the cores.
  try {
    if (f.is_bound_from_start()) {
      if (is_inside) {
        c->counters.spawned.add();
      } else {
        s.spawned_outside.fetch_add(1, relaxed);
      }
      s.cores[f.core_wanted]->deliver_unstarted(f);
    } else if (is_inside) {
      c->counters.spawned.add();
      c->put_unstarted(f);
    } else {
      s.spawned_outside.fetch_add(1, relaxed);
      s.inject(f);
    }
  } catch (...) {
    if (is_inside) {
      c->counters.ended.add();
    } else {
      s.spawned_outside.fetch_sub(1, relaxed);
    }
    f.type->destroy_closure(f.body);
    abandon(fiber);
    throw;
  }
}

void add_reference(fiber_record* fiber) noexcept {
  fiber->references.fetch_add(1, relaxed);
}

void release_fiber(fiber_record* fiber) noexcept {
  fiber_record& f = *fiber;
  // The last holder needs no locked instruction to know that it is the last. Acquire: the others' last
  // accesses.
  std::uint32_t left = f.references.load(acquire);
  if (left != 1) left = f.references.fetch_sub(1, acq_rel);
  if ((left & ~fiber_record::orphan_bit) != 1) return;
  if (f.outcome == fiber_outcome::value) f.type->destroy_result(f.body);
  f.error = nullptr;
  if ((left & fiber_record::orphan_bit) != 0) {
    orphanage* const last_home = f.orphaned_to.load(relaxed);
    free_body(f);
    last_home->release();
    return;
  }
  free_record(f);
}

}  // namespace weft::inline v0::detail
