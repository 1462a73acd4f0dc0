#include <weft/mc/blocking.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>

#include <cstring>

namespace weft::mc {

namespace {
execution& here() { return *execution::current(); }
}  // namespace

bool in_execution() noexcept { return execution::current() != nullptr; }

int thread::start(std::function<void()> body) { return here().start_thread(std::move(body)); }

void thread::join() {
  if (is_joined_) return;
  const engine_scope in_engine;
  is_joined_ = true;
  here().join(id_);
}

int current_thread() noexcept { return here().self().id; }

void mutex::lock() {
  const engine_scope in_engine;
  execution& e = here();
  e.use({&word_, sizeof word_}, std::source_location::current());
  while (is_held_) e.block_on_lock(this);
  is_held_ = true;
  const std::size_t index =
      e.words.find({&word_, sizeof word_}, e.self().id, e.self().memory, std::source_location::current());
  const auto newest = static_cast<std::uint32_t>(e.words.at(index).stores.size() - 1);
  e.words.read(index, newest, e.self().memory, std::memory_order_acquire);
  e.note("locks a mutex");
}

void mutex::unlock() {
  const engine_scope in_engine;
  execution& e = here();
  const std::size_t index = e.use({&word_, sizeof word_}, std::source_location::current());
  e.words.write(index, word_ + 1, e.self().id, e.self().memory, std::memory_order_release, false);
  is_held_ = false;
  e.wake(this, 1);
  e.note("unlocks a mutex");
}

// The kernel compares under the lock of the word's queue, which the waker takes too: it reads the newest value.
bool futex_wait(word_ref word, std::uint64_t expected, bool is_timed, std::int64_t deadline) {
  const engine_scope in_engine;
  execution& e = here();
  const std::size_t index = e.use(word, std::source_location::current());
  const std::uint64_t newest = e.words.at(index).stores.back().value;
  if (newest != expected) return true;
  if (is_timed && deadline <= e.now) return false;
  e.note("sleeps on " + (e.is_traced ? e.words.name_of(index) : std::string()));
  const bool was_woken = e.sleep_on(word.address, is_timed, deadline);
  e.note(was_woken ? "is awake" : "times out");
  return was_woken;
}

int futex_wake(const void* word, int count) {
  const engine_scope in_engine;
  execution& e = here();
  e.point(true);
  const int woken = e.wake(word, count);
  e.note("wakes " + std::to_string(woken));
  return woken;
}

std::int64_t clock_now() noexcept { return in_execution() ? here().now : 1; }
void advance_clock(std::int64_t by) noexcept { here().now += by; }

void fail(const std::string& what) { here().fail(what); }

void fail_claim(const char* claim) { fail(std::string("not true: ") + claim); }

void name(const void* address, const char* text) {
  const engine_scope in_engine;
  here().words.name(address, text);
}

void note(const std::string& text) {
  const engine_scope in_engine;
  here().note(text);
}

}  // namespace weft::mc
