// The readiness of one direction of one descriptor, in one word.
//
// Roles: *users*, the fibers that read (or write) the descriptor, of which at most one waits; the *lead* of the poller,
//   which reports events; a *closer*.
// States:
//   ready(tick)       a call may succeed, or it is not known: try
//   drained(tick)     a call found nothing left; the next event has a larger tick
//   waiting(fiber)    drained, and a fiber waits; named by (name, epoch), for the word may outlive the wait
//   closed            for good
// Invariant (no lost event): only an event or close() moves `waiting` on to `ready` or `closed`, and who moves it wakes
//   the fiber. A user moves `ready` to `drained` only with the tick that it saw before its call: an event in between
//   makes that fail, and the user tries again.
#pragma once

#include <weft/detail/atomic.h>

#include <cstdint>

namespace weft::inline v0::detail {

class readiness {
 public:
  class state {
   public:
    constexpr explicit state(std::uint64_t bits) noexcept : bits_(bits) {}

    static constexpr state ready(std::uint64_t tick) noexcept { return state(tick << 2 | 0); }
    static constexpr state drained(std::uint64_t tick) noexcept { return state(tick << 2 | 1); }
    static constexpr state waiting(std::uint32_t name, std::uint64_t epoch) noexcept {
      return state((epoch & epoch_mask) << 34 | std::uint64_t{name} << 2 | 2);
    }
    static constexpr state closed() noexcept { return state(3); }

    constexpr bool is_ready() const noexcept { return (bits_ & 3) == 0; }
    constexpr bool is_drained() const noexcept { return (bits_ & 3) == 1; }
    constexpr bool is_waiting() const noexcept { return (bits_ & 3) == 2; }
    constexpr bool is_closed() const noexcept { return bits_ == 3; }

    constexpr std::uint64_t tick() const noexcept { return bits_ >> 2; }
    constexpr std::uint32_t name() const noexcept { return static_cast<std::uint32_t>(bits_ >> 2); }
    // Whether the waiting fiber's epoch is `epoch`, as far as the word remembers it.
    constexpr bool is_epoch(std::uint64_t epoch) const noexcept { return bits_ >> 34 == (epoch & epoch_mask); }
    constexpr std::uint64_t bits() const noexcept { return bits_; }

   private:
    static constexpr std::uint64_t epoch_mask = (std::uint64_t{1} << 30) - 1;
    std::uint64_t bits_;
  };

  // Pairs with report(): what the event said besides is there, too.
  state load() const noexcept { return state(word_.load(acquire)); }

  // A new descriptor: nothing is known yet.
  void reset() noexcept { word_.store(state::ready(0).bits(), relaxed); }

  // User, after a call that left nothing: false if an event came since `seen` was loaded.
  bool drain(state seen) noexcept { return move(seen, state::drained(seen.tick())); }

  // User. False if an event came, or another fiber waits.
  bool arm(state seen, std::uint32_t name, std::uint64_t epoch) noexcept {
    return move(seen, state::waiting(name, epoch));
  }

  // User, whose wait ended otherwise: false if an event has taken its place already.
  bool disarm(std::uint32_t name, std::uint64_t epoch, state seen) noexcept {
    return move(state::waiting(name, epoch), state::drained(seen.tick()));
  }

  // Lead. Returns the state before; if it was waiting, the lead wakes that fiber.
  state report(std::uint64_t tick) noexcept {
    std::uint64_t seen = word_.load(relaxed);
    while (!state(seen).is_closed() &&
           !word_.compare_exchange_weak(seen, state::ready(tick).bits(), acq_rel, relaxed)) {
    }
    return state(seen);
  }

  // Closer. Returns the state before; if it was waiting, the closer wakes that fiber. Acquire: its wait, from arm().
  state close() noexcept { return state(word_.exchange(state::closed().bits(), acquire)); }

 private:
  // Release: pairs with report() and close(), which look for the wait that is named.
  bool move(state from, state to) noexcept {
    std::uint64_t expected = from.bits();
    return word_.compare_exchange_strong(expected, to.bits(), release, relaxed);
  }

  atomic<std::uint64_t> word_{0};
};

}  // namespace weft::inline v0::detail
