// A table has a slot for each variable, by index. Indices are given anew once their variable is gone; a slot then may
// hold a value of the former variable, which its serial number tells, and which lives on in the list of all values.
#include "scheduler/fiber_local.h"

#include "platform/spin_lock.h"
#include "scheduler/cancellation.h"
#include "scheduler/context_local.h"
#include "scheduler/core.h"
#include "scheduler/fork.h"
#include "scheduler/plain_thread.h"

#include <weft/detail/atomic.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

namespace weft::inline v0::detail {

struct local_table {
  local_node* newest = nullptr;
  std::uint32_t size = 0;

  local_node** slots() noexcept { return reinterpret_cast<local_node**>(this + 1); }

  static local_table* make(std::uint32_t size) {
    auto* const t = ::new (::operator new(sizeof(local_table) + size * sizeof(void*))) local_table;
    t->size = size;
    std::fill_n(t->slots(), size, nullptr);
    return t;
  }
};

struct local_key::place {
  std::uint32_t index = 0;
  place* next_free = nullptr;
};

// Places of variables that are gone. No destructor: variables may be gone after everything else.
class local_places {
 public:
  static local_key::place* take() {
    {
      const std::scoped_lock hold(gate);
      if (unused != nullptr) return std::exchange(unused, unused->next_free);
    }
    auto* const fresh = new local_key::place;
    fresh->index = next_index.fetch_add(1, relaxed);
    return fresh;
  }
  static void give_back(local_key::place* p) noexcept {
    const std::scoped_lock hold(gate);
    p->next_free = std::exchange(unused, p);
  }
  static std::uint64_t next_serial() noexcept { return serials.fetch_add(1, relaxed); }

 private:
  static inline spin_lock gate;
  static inline local_key::place* unused = nullptr;
  static inline atomic<std::uint32_t> next_index{0};
  static inline atomic<std::uint64_t> serials{1};
};

local_key::local_key() : place_(local_places::take()), serial_(local_places::next_serial()) {}

local_key::~local_key() { local_places::give_back(place_); }

std::uint32_t local_key::index() const noexcept { return place_->index; }

namespace {

// Null where there can be none (yet).
local_table* locals_here() noexcept {
  const std::uintptr_t word = here_word();
  if ((word & 1) != 0) return reinterpret_cast<thread_record*>(word & ~std::uintptr_t{1})->locals;
  const core* const c = reinterpret_cast<core*>(word);
  return c != nullptr && c->current != nullptr ? c->current->locals : nullptr;
}

local_table*& place_of_locals() {
  core* const c = here();
  if (c == nullptr) return this_thread_record().locals;
  if (c->current != nullptr) {
    c->current->has_variables = true;
    return c->current->locals;
  }
  throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                          "weft::fiber_local::get: called on a worker thread outside of its fibers");
}

}  // namespace

local_node* find_local(const local_key& key) noexcept {
  local_table* const t = locals_here();
  const std::uint32_t index = key.index();
  if (t == nullptr || index >= t->size) return nullptr;
  local_node* const n = t->slots()[index];
  return n != nullptr && n->serial == key.serial() ? n : nullptr;
}

void add_local(const local_key& key, local_node& node) {
  local_table*& locals = place_of_locals();
  node.index = key.index();
  node.serial = key.serial();
  if (locals == nullptr || node.index >= locals->size) {
    local_table* const old = locals;
    local_table* const grown = local_table::make(std::max(node.index + 1, old != nullptr ? 2 * old->size : 4));
    if (old != nullptr) {
      std::copy_n(old->slots(), old->size, grown->slots());
      grown->newest = old->newest;
    }
    locals = grown;
    ::operator delete(old);
  }
  locals->slots()[node.index] = &node;
  node.older = std::exchange(locals->newest, &node);
}

void end_locals(local_table*& locals) noexcept {
  // Afresh in each round: a destructor may make values, and the table grow.
  while (locals != nullptr && locals->newest != nullptr) {
    local_node* const n = locals->newest;
    locals->newest = n->older;
    local_node*& slot = locals->slots()[n->index];
    if (slot == n) slot = nullptr;
    n->destroy(n);
  }
  ::operator delete(std::exchange(locals, nullptr));
}

void end_variables(activation& me, fiber_record& f) noexcept {
  if (me.locals != nullptr) end_locals(me.locals);
  if (f.context != nullptr) release_context(std::exchange(f.context, nullptr));
  if (me.locals != nullptr) end_locals(me.locals);  // Made by the destructors of the context's values.
}

void end_variables_early(fiber_record& f) noexcept {
  core* const c = here();
  if (c == nullptr || c->current == nullptr || !c->current->has_variables) return;
  activation& me = *c->current;
  if (f.on_stack.load(relaxed) != &me) return;
  if (me.fiber == &f) {
    const shielded from_outside;
    end_variables(me, f);
  } else {
    join_called_on(me)->end_variables();
  }
}

void end_late_locals(const fiber_record& f) noexcept {
  core* const c = here();
  if (c == nullptr || c->current == nullptr || c->current->occupant.load(relaxed) != &f) return;
  if (c->current->locals != nullptr) end_locals(c->current->locals);
}

}  // namespace weft::inline v0::detail
