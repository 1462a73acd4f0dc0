// A place where a fixed crew waits until all of it has come, again and again.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/atomic.h>
#include <weft/detail/config.h>
#include <weft/detail/wait_list_ends.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace weft::inline v0 {

// Thrown by waits at a barrier that will not open.
class WEFT_API broken_barrier : public std::system_error {
 public:
  explicit broken_barrier(const std::string& what)
      : std::system_error(std::make_error_code(std::errc::state_not_recoverable), what) {}
};

namespace detail {

// A barrier but for its step. `phase` counts the openings, whole or broken.
class WEFT_API barrier_state {
 public:
  struct arrived {
    std::uint64_t phase;
    bool is_last;  // The caller runs the step, and then calls open() or abort().
  };

  static constexpr std::size_t max = static_cast<std::size_t>(UINT32_MAX);

  explicit barrier_state(std::size_t expected);
  ~barrier_state();
  barrier_state(const barrier_state&) = delete;
  barrier_state& operator=(const barrier_state&) = delete;

  arrived arrive(std::size_t n, const char* call);
  arrived drop();
  void open(std::uint64_t phase, const char* call);
  bool wait(std::uint64_t phase, std::int64_t limit, const char* call);
  void abort() noexcept;
  void reset() noexcept;
  bool is_broken() const noexcept;
  std::size_t expected() const noexcept;
  std::size_t pending() const noexcept;

 private:
  void close_phase(bool is_whole) noexcept;
  bool was_whole(std::uint64_t phase) const noexcept;

  mutable atomic<std::uint32_t> lock_{0};
  bool is_broken_ = false;  // All of this under lock_.
  std::size_t expected_;
  std::size_t pending_;
  std::uint64_t phase_ = 1;
  std::uint64_t broken_from_ = 0;  // The last phases that were broken, one after the other.
  std::uint64_t broken_before_ = 0;
  wait_list_ends waiters_;
};

struct no_step {
  void operator()() const noexcept {}
};

}  // namespace detail

// The shape of std::barrier, with the breakage of Python's: when one of the crew gives up, the others do not wait for
// ever. A wait that is cancelled or meets its deadline, abort(), and a step that throws break the barrier: all that
// wait, and all that come later, get broken_barrier until reset().
//
// Thread safety: all members may be called at once, from fibers and from plain threads. A waiting fiber frees its core;
//   a waiting thread blocks.
// Lifetime: may be destroyed the instant a wait has returned, if the others were woken with it or have returned.
//   Destroying it while it is waited for ends the program with a message.
template <class Step = detail::no_step>
class barrier {
 public:
  // Proof of an arrival, for wait().
  class [[nodiscard]] arrival_token {
   public:
    arrival_token(arrival_token&&) noexcept = default;
    arrival_token& operator=(arrival_token&&) noexcept = default;

   private:
    friend class barrier;
    explicit arrival_token(std::uint64_t phase) noexcept : phase_(phase) {}
    std::uint64_t phase_;
  };

  static constexpr std::size_t max() noexcept { return detail::barrier_state::max; }

  // `step` is called by the last that arrives, before anybody is let through. It may wait.
  // Throws: std::system_error (invalid_argument) for more than max().
  explicit barrier(std::size_t expected, Step step = {}) : state_(expected), step_(std::move(step)) {}

  // Counts `n` of the crew in, without waiting.
  // Throws: broken_barrier; what the step throws; std::system_error (invalid_argument) for more than are expected.
  arrival_token arrive(std::size_t n = 1) {
    constexpr const char* call = "weft::barrier::arrive";
    const detail::barrier_state::arrived at = state_.arrive(n, call);
    if (at.is_last) complete(at, call);
    return arrival_token(at.phase);
  }

  // Waits for the end of the phase of `token`: all have arrived, and the step is done.
  // Throws: broken_barrier.
  // Cancel: throws weft::cancelled if it would have to wait, and breaks the barrier.
  // Ordering: what any of the crew did before it arrived is visible.
  void wait(arrival_token&& token) { state_.wait(token.phase_, detail::never, "weft::barrier::wait"); }

  // As wait(), but false at the deadline; the barrier is broken then.
  bool wait_until(arrival_token&& token, deadline moment) {
    return state_.wait(token.phase_, moment.nanoseconds(), "weft::barrier::wait");
  }
  bool wait_for(arrival_token&& token, deadline moment) { return wait_until(std::move(token), moment); }

  void arrive_and_wait() { arrive_and_wait_until(deadline::never()); }
  bool arrive_and_wait_until(deadline moment) {
    constexpr const char* call = "weft::barrier::arrive_and_wait";
    const detail::barrier_state::arrived at = state_.arrive(1, call);
    if (!at.is_last) return state_.wait(at.phase, moment.nanoseconds(), call);
    complete(at, call);
    return true;  // Who was let through may have destroyed the barrier.
  }
  bool arrive_and_wait_for(deadline moment) { return arrive_and_wait_until(moment); }

  // Arrives, and leaves the crew for good, also when the barrier is broken.
  // Throws: what the step throws; std::system_error (invalid_argument) where nobody is expected any more.
  void arrive_and_drop() {
    const detail::barrier_state::arrived at = state_.drop();
    if (at.is_last) complete(at, "weft::barrier::arrive_and_drop");
  }

  // Breaks the barrier.
  void abort() noexcept { state_.abort(); }

  // Begins anew, with nobody arrived and not broken. Those that wait get broken_barrier.
  void reset() noexcept { state_.reset(); }

  bool is_broken() const noexcept { return state_.is_broken(); }
  std::size_t expected() const noexcept { return state_.expected(); }  // The size of the crew.
  std::size_t pending() const noexcept { return state_.pending(); }    // How many have yet to arrive.

 private:
  void complete(detail::barrier_state::arrived at, const char* call) {
    struct aborting {
      barrier* unfinished;
      ~aborting() {
        if (unfinished != nullptr) unfinished->abort();
      }
    } guard{this};
    step_();
    guard.unfinished = nullptr;
    state_.open(at.phase, call);
  }

  detail::barrier_state state_;
  [[no_unique_address]] Step step_;
};

}  // namespace weft::inline v0
