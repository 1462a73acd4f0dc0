// Invariant: an array is changed only by its one holder; with two references it is constant. Values are constant.
#include "scheduler/context_local.h"

#include "scheduler/core.h"
#include "scheduler/plain_thread.h"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

namespace weft::inline v0::detail {

// Sorted by key.
struct alignas(context_value*) context_array {
  atomic<std::uint32_t> references{1};
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;

  context_value** begin() noexcept { return reinterpret_cast<context_value**>(this + 1); }
  context_value** end() noexcept { return begin() + size; }
  context_value** place_of(std::uint64_t key) noexcept {
    return std::lower_bound(begin(), end(), key, [](const context_value* v, std::uint64_t k) { return v->key < k; });
  }
  // Acquire: pairs with release_context() of the others, who no longer read it.
  bool is_shared() const noexcept { return references.load(acquire) != 1; }

  static context_array* make(std::uint32_t capacity) {
    auto* const a = ::new (::operator new(sizeof(context_array) + capacity * sizeof(void*))) context_array;
    a->capacity = capacity;
    return a;
  }
};
static_assert(sizeof(context_array) % alignof(context_value*) == 0);

atomic<bool> contexts_are_in_use{false};

namespace {

atomic<std::uint64_t> keys{1};

// Where the caller's context stands; null where it can have none (yet).
context_array** known_context_here() noexcept {
  const std::uintptr_t word = here_word();
  if ((word & 1) != 0) return &reinterpret_cast<thread_record*>(word & ~std::uintptr_t{1})->context;
  const core* const c = reinterpret_cast<core*>(word);
  return c != nullptr && c->current != nullptr ? &c->current->occupant.load(relaxed)->context : nullptr;
}

context_array*& context_here() {
  core* const c = here();
  if (c == nullptr) return this_thread_record().context;
  if (context_array** const known = known_context_here()) {
    c->current->has_variables = true;
    return *known;
  }
  throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                          "weft::context_local::set: called on a worker thread outside of its fibers");
}

// The array of the caller alone, with room for one value more.
context_array& own_array(context_array*& place) {
  context_array* const old = place;
  if (old != nullptr && !old->is_shared() && old->size < old->capacity) return *old;
  const std::uint32_t size = old != nullptr ? old->size : 0;
  context_array* const copy = context_array::make(size < 4 ? 4 : size + size / 2);
  for (std::uint32_t i = 0; i < size; ++i) {
    copy->begin()[i] = old->begin()[i];
    copy->begin()[i]->references.fetch_add(1, relaxed);
  }
  copy->size = size;
  place = copy;
  if (old != nullptr) release_context(old);
  return *copy;
}

}  // namespace

context_array* share(context_array* a) noexcept {
  if (a != nullptr) a->references.fetch_add(1, relaxed);
  return a;
}

std::uint64_t new_context_key() noexcept { return keys.fetch_add(1, relaxed); }

context_value* find_context_value(std::uint64_t key) noexcept {
  context_array** const here = known_context_here();
  if (here == nullptr || *here == nullptr) return nullptr;
  context_value** const at = (*here)->place_of(key);
  return at != (*here)->end() && (*at)->key == key ? *at : nullptr;
}

context_value* exchange_context_value(std::uint64_t key, context_value* value) {
  context_array*& place = context_here();
  if (value == nullptr && find_context_value(key) == nullptr) return nullptr;
  if (!contexts_are_in_use.load(relaxed)) contexts_are_in_use.store(true, relaxed);
  context_array& own = own_array(place);
  context_value** const at = own.place_of(key);
  if (at == own.end() || (*at)->key != key) {
    std::copy_backward(at, own.end(), own.end() + 1);
    *at = value;
    ++own.size;
    return nullptr;
  }
  context_value* const former = *at;
  if (value != nullptr) {
    *at = value;
  } else {
    std::copy(at + 1, own.end(), at);
    --own.size;
  }
  return former;
}

void exchange_context(context_array*& other) {
  context_array*& mine = context_here();
  if (other != nullptr && !contexts_are_in_use.load(relaxed)) contexts_are_in_use.store(true, relaxed);
  std::swap(mine, other);
}

context_array* share_context() noexcept {
  context_array** const here = known_context_here();
  return here != nullptr ? share(*here) : nullptr;
}

void release_context(context_array* a) noexcept {
  if (a->references.load(acquire) != 1 && a->references.fetch_sub(1, acq_rel) != 1) return;
  for (context_value* const v : *a) v->release();
  ::operator delete(a);
}

void inherit_context(fiber_record& f) noexcept { f.context = share_context(); }

void refuse_context_get(const char* name) {
  throw std::out_of_range("weft::context_local::get: \"" + std::string(name) + "\" has no value here");
}

void refuse_context_reset(const char* name, bool is_used) {
  throw std::invalid_argument("weft::context_local::reset: \"" + std::string(name) + "\" is given a token that " +
                              (is_used ? "was used before" : "belongs to another variable"));
}

void refuse_context_run() {
  throw std::logic_error("weft::context::run: called from within a run of the same context; run a copy of it");
}

}  // namespace weft::inline v0::detail

namespace weft::inline v0 {

context::context(const context& other) noexcept : array_(detail::share(other.array_)) {}

}  // namespace weft::inline v0
