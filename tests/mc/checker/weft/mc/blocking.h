// What models block on, and how they say what must hold.
#pragma once

#include <weft/mc/engine_scope.h>
#include <weft/mc/operations.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace weft::mc {

// Requires for all: the caller is a thread of an execution.

// A thread of the model. Joined at the latest by its destructor.
class thread {
 public:
  template <class Body>
  explicit thread(Body body)
      : id_(start([&] {
          const engine_scope in_engine;
          return std::function<void()>(std::move(body));
        }())) {}
  ~thread() { join(); }
  thread(const thread&) = delete;
  thread& operator=(const thread&) = delete;
  void join();

 private:
  static int start(std::function<void()> body);

  int id_;
  bool is_joined_ = false;
};

int current_thread() noexcept;

// Blocks without spinning; orders as a lock does.
class mutex {
 public:
  void lock();
  void unlock();

 private:
  bool is_held_ = false;
  std::uint64_t word_ = 0;
};

// The system's futex: comparing and falling asleep are one step. Returns false when it woke by its deadline.
bool futex_wait(word_ref word, std::uint64_t expected, bool is_timed, std::int64_t deadline);
int futex_wake(const void* word, int count);

// Virtual time, in nanoseconds. It moves when a sleeper's deadline passes.
std::int64_t clock_now() noexcept;
void advance_clock(std::int64_t by) noexcept;

// What is not as it must be ends the execution.
[[noreturn]] void fail(const std::string& what);
[[noreturn]] void fail_claim(const char* claim);
inline void expect(bool holds, const char* claim) {
  if (!holds) fail_claim(claim);
}

// For traces.
void name(const void* address, const char* text);
void note(const std::string& text);

bool in_execution() noexcept;

}  // namespace weft::mc
