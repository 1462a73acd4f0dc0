#include <weft/mc/blocking.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>

#include <cstring>

namespace weft::mc {

namespace {

using where = std::source_location;

std::uint64_t plain_load(word_ref word) {
  std::uint64_t value = 0;
  std::memcpy(&value, word.address, word.bytes);
  return value;
}

void plain_store(word_ref word, std::uint64_t value) { std::memcpy(word.address, &value, word.bytes); }

std::uint64_t result_of(modification what, std::uint64_t before, std::uint64_t by) {
  switch (what) {
    case modification::exchange:
      return by;
    case modification::add:
      return before + by;
    case modification::subtract:
      return before - by;
    case modification::bit_or:
      return before | by;
    case modification::bit_and:
      return before & by;
  }
  return before;
}

std::uint64_t cut(std::uint64_t value, std::size_t bytes) {
  return bytes == 8 ? value : value & ((std::uint64_t{1} << (bytes * 8)) - 1);
}

const char* order_name(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      return "seq_cst";
    default:
      return "?";
  }
}

std::string hex(std::uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, value < 1000 ? "%lu" : "0x%lx", static_cast<unsigned long>(value));
  return text;
}

void trace(execution& e, const char* act, std::size_t index, std::uint64_t value, std::memory_order order,
           const where& at, const std::string& more = {}) {
  if (!e.is_traced) return;
  e.note(std::string(act) + " " + e.words.name_of(index) + " " + hex(value) + more + "  " + order_name(order) + "  " +
         to_string(site{at.file_name(), at.line(), 0, {}}));
}

// How many stores behind the newest one a load of `index` reads.
std::uint32_t choose_store(execution& e, std::size_t index, std::memory_order order) {
  const auto newest = static_cast<std::uint32_t>(e.words.at(index).stores.size() - 1);
  const std::uint32_t oldest = e.words.oldest_readable(index, e.self().memory, order);
  return newest - static_cast<std::uint32_t>(e.choose(choice_kind::store, newest - oldest + 1));
}

std::string age(const execution& e, std::size_t behind) {
  return !e.is_traced || behind == 0 ? std::string() : " (" + std::to_string(behind) + " behind)";
}

}  // namespace

std::uint64_t load(word_ref word, std::memory_order order, const where& at) {
  const engine_scope in_engine;
  execution* const e = execution::current();
  const mutated m = apply_mutation(operation::load, order, at);
  if (m.is_dropped) return 0;
  if (e == nullptr) return plain_load(word);
  const std::size_t index = e->use(word, at);
  const std::uint32_t which = choose_store(*e, index, m.order);
  const std::uint64_t value = e->words.read(index, which, e->self().memory, m.order);
  trace(*e, "loads ", index, value, m.order, at, age(*e, e->words.at(index).stores.size() - 1 - which));
  return value;
}

void store(word_ref word, std::uint64_t value, std::memory_order order, const where& at) {
  const engine_scope in_engine;
  execution* const e = execution::current();
  const mutated m = apply_mutation(operation::store, order, at);
  if (m.is_dropped) return;
  if (e == nullptr) return plain_store(word, value);
  const std::size_t index = e->use(word, at);
  e->words.write(index, value, e->self().id, e->self().memory, m.order, false);
  trace(*e, "stores", index, value, m.order, at);
}

std::uint64_t modify(word_ref word, modification what, std::uint64_t by, std::memory_order order, const where& at) {
  const engine_scope in_engine;
  execution* const e = execution::current();
  const mutated m = apply_mutation(operation::modify, order, at);
  if (e == nullptr) {
    const std::uint64_t before = plain_load(word);
    plain_store(word, result_of(what, before, by));
    return before;
  }
  const std::size_t index = e->use(word, at);
  const auto newest = static_cast<std::uint32_t>(e->words.at(index).stores.size() - 1);
  const std::uint64_t before = e->words.read(index, newest, e->self().memory, m.order);
  if (m.is_dropped) return before;
  const std::uint64_t after = cut(result_of(what, before, by), word.bytes);
  if (m.is_blind) e->point(true);  // In two steps.
  e->words.write(index, after, e->self().id, e->self().memory, m.order, true);
  trace(*e, "modifies", index, after, m.order, at, e->is_traced ? " from " + hex(before) : std::string());
  return before;
}

bool compare_exchange(word_ref word, std::uint64_t& expected, std::uint64_t desired, const exchange_orders& orders,
                      const where& at) {
  const engine_scope in_engine;
  execution* const e = execution::current();
  const mutated m = apply_mutation(operation::compare_exchange, orders.success, at);
  if (e == nullptr) {
    const std::uint64_t before = plain_load(word);
    if (before == expected) plain_store(word, desired);
    return before == expected || ((expected = before), false);
  }
  const std::size_t index = e->use(word, at);
  thread_memory& mine = e->self().memory;
  const location& l = e->words.at(index);
  const auto newest = static_cast<std::uint32_t>(l.stores.size() - 1);
  std::uint32_t which = newest;
  if (!m.is_blind) {
    which = choose_store(*e, index, orders.failure);
    // An older store that is as expected says nothing: the exchange would be tried on the newest one.
    if (which != newest && l.stores[which].value == expected) which = newest;
  }
  bool succeeds = m.is_blind || (which == newest && l.stores[newest].value == expected);
  if (succeeds && orders.is_weak && !m.is_blind && e->choose(choice_kind::failure, 2) == 1) succeeds = false;
  const std::memory_order order = succeeds ? m.order : orders.failure;
  const std::uint64_t before = e->words.read(index, which, mine, order);
  if (succeeds) {
    e->words.write(index, desired, e->self().id, mine, order, true);
    trace(*e, "exchanges", index, desired, order, at, e->is_traced ? " for " + hex(before) : std::string());
  } else {
    trace(*e, "does not exchange", index, before, order, at, e->is_traced ? ", expected " + hex(expected) : "");
    expected = before;
  }
  return succeeds;
}

void fence(std::memory_order order, const where& at) {
  const engine_scope in_engine;
  execution* const e = execution::current();
  const mutated m = apply_mutation(operation::fence, order, at);
  if (m.is_dropped || e == nullptr) return;
  e->point(true);
  e->tick();
  e->words.fence(e->self().memory, m.order);
  if (e->is_traced)
    e->note(std::string("fence  ") + order_name(m.order) + "  " + to_string(site{at.file_name(), at.line(), 0, {}}));
}

void construct(const void* address) {
  const engine_scope in_engine;
  if (execution* const e = execution::current()) e->words.forget(address);
}

void spin() {
  const engine_scope in_engine;
  if (execution* const e = execution::current()) e->spin();
}

void yield() {
  const engine_scope in_engine;
  if (execution* const e = execution::current()) e->point(true);
}

}  // namespace weft::mc
