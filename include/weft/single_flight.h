// Many who want the same thing at the same time: one gets it, for all.
#pragma once

#include <weft/cancelled.h>
#include <weft/condition_variable.h>
#include <weft/detail/caller.h>
#include <weft/mutex.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>

namespace weft::inline v0 {

// Calls with one key that come while such a call is under way wait for its outcome instead of running themselves. It is
// no cache: once the outcome is there, the next call runs again.
//
//   weft::single_flight<std::string, page> loads;
//   page p = loads.run(address, [&] { return load(address); });
//
// Thread safety: all members may be called at once, from fibers and from plain threads. A waiting fiber frees its core;
//   a waiting thread blocks.
// Lifetime: destroy it only after every call has returned.
template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class single_flight {
  static_assert(std::is_void_v<Value> || std::is_copy_constructible_v<Value>, "each caller gets a copy of the value");

 public:
  single_flight() = default;
  single_flight(const single_flight&) = delete;
  single_flight& operator=(const single_flight&) = delete;

  // Returns what `f()` returned here, or in the call that was under way.
  // Throws: what `f()` threw, to all that waited; std::system_error (resource_deadlock_would_occur) for a call with the
  //   same key from within `f`.
  // Cancel: a waiting caller throws weft::cancelled, and the others wait on. When the caller that runs is cancelled, one
  //   of those that wait runs its own `f` instead.
  // Ordering: what `f` did is visible to all.
  template <class F>
  Value run(const Key& key, F&& f) {
    const std::uintptr_t me = detail::who_calls();
    std::unique_lock<mutex> hold(lock_);
    const std::shared_ptr<flight> joined = find_or_begin(key, me);
    if (joined->leader != me || joined->now != phase::flying) {
      if (wait_for_outcome(*joined, key, hold)) {
        hold.unlock();  // Copying the value may take long; it stays, and does not change any more.
        return outcome_of(*joined);
      }
      joined->leader = me;
      joined->now = phase::flying;
    } else if (!std::exchange(joined->is_fresh, false)) {
      throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                              "weft::single_flight::run: called again from within the call, with the same key");
    }
    hold.unlock();
    return lead(*joined, key, std::forward<F>(f));
  }

  // The next call with `key` runs by itself, even while one is under way.
  void forget(const Key& key) {
    const std::scoped_lock hold(lock_);
    flights_.erase(key);
  }

 private:
  enum class phase : std::uint8_t { flying, leaderless, landed };
  using stored = std::conditional_t<std::is_void_v<Value>, std::monostate, Value>;

  struct flight {
    condition_variable changed;
    std::uintptr_t leader = 0;
    std::size_t waiting = 0;
    phase now = phase::flying;
    bool is_fresh = true;
    std::optional<stored> value;  // Written by the leader, read once it has landed.
    std::exception_ptr error;
  };

  // Under the lock.
  std::shared_ptr<flight> find_or_begin(const Key& key, std::uintptr_t me) {
    const auto found = flights_.find(key);
    if (found != flights_.end()) return found->second;
    auto fresh = std::make_shared<flight>();
    fresh->leader = me;
    flights_.emplace(key, fresh);
    return fresh;
  }

  // Under the lock. Unless forget() was quicker.
  void remove(const flight& over, const Key& key) {
    const auto found = flights_.find(key);
    if (found != flights_.end() && found->second.get() == &over) flights_.erase(found);
  }

  // False where the caller is to run. The lock is held again in any case.
  bool wait_for_outcome(flight& joined, const Key& key, std::unique_lock<mutex>& hold) {
    struct leaving {
      single_flight& all;
      flight& joined;
      const Key& key;
      bool takes_over = false;
      ~leaving() {
        if (--joined.waiting == 0 && joined.now == phase::leaderless && !takes_over) all.remove(joined, key);
      }
    } at_end{*this, joined, key};
    ++joined.waiting;
    joined.changed.wait(hold, [&] { return joined.now != phase::flying; });
    at_end.takes_over = joined.now == phase::leaderless;
    return !at_end.takes_over;
  }

  template <class F>
  Value lead(flight& led, const Key& key, F&& f) {
    struct landing {
      single_flight& all;
      flight& led;
      const Key& key;
      bool is_cancelled = false;
      ~landing() { all.land(led, key, is_cancelled); }
    } at_end{*this, led, key};
    try {
      if constexpr (std::is_void_v<Value>) {
        std::invoke(std::forward<F>(f));
        led.value.emplace();
      } else {
        led.value.emplace(std::invoke(std::forward<F>(f)));
      }
    } catch (const cancelled&) {
      at_end.is_cancelled = true;
      throw;
    } catch (...) {
      led.error = std::current_exception();
      throw;
    }
    return outcome_of(led);
  }

  void land(flight& led, const Key& key, bool is_cancelled) {
    const detail::uncancelled_lock hold(lock_);
    if (is_cancelled && led.waiting > 0) {
      led.now = phase::leaderless;
      led.leader = 0;
      led.changed.notify_one();
      return;
    }
    led.now = phase::landed;
    led.changed.notify_all();
    remove(led, key);
  }

  static Value outcome_of(const flight& landed) {
    if (landed.error) std::rethrow_exception(landed.error);
    if constexpr (!std::is_void_v<Value>) return *landed.value;
  }

  mutex lock_;
  std::unordered_map<Key, std::shared_ptr<flight>, Hash, Equal> flights_;  // Under way, by key.
};

}  // namespace weft::inline v0
