// Who holds a core for too long, and who waits in a ring.
//
// Roles: the *monitor* looks at every core once a tick; a *worker* answers where it is, in a signal handler.
// Invariant: a sample belongs to the worker from the moment that the handler takes it out of core::asked_where until it
//   says `done`; to the monitor otherwise. Samples live until the workers have ended.
// A core counts as held when neither its rounds nor its switches and starts have moved: then one fiber has run all the
// while. What the operating system took from the worker in favour of other processes is not held against the fiber: it
// must have used the time itself, or sleep in a system call.
#pragma once

#include "base/fixed_text.h"

#include <weft/detail/atomic.h>
#include <weft/options.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

namespace weft::inline v0::detail {

class core;
class scheduler;

// The limit that the options and the build make, in nanoseconds; 0: no watchdog.
std::int64_t watch_limit(const options& wanted) noexcept;

// What a worker says of itself.
struct watch_sample {
  static constexpr std::size_t most_frames = 48;

  atomic<bool> done{false};  // Release: pairs with the monitor's look.
  bool has_fiber = false;
  std::uint64_t id = 0;  // Of the fiber, as the next two.
  fixed_text fiber;
  std::size_t called = 0;  // See stack_occupants.
  std::size_t count = 0;
  std::array<const void*, most_frames> frames;
};

class watchdog {
 public:
  explicit watchdog(scheduler& s);
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  // Monitor, once a tick, while a core is awake.
  void look(std::int64_t now) noexcept;

 private:
  enum class suspicion : std::uint8_t { none, timed, asked, unanswered, told };

  struct watched_core {
    suspicion what = suspicion::none;
    std::uint64_t progress = 0;
    std::int64_t since = 0;      // The first look at this progress.
    std::int64_t cpu_since = 0;  // The worker's own time by then.
    std::int64_t asked_at = 0;
    bool sleeps = false;  // In a system call.
    watch_sample sample;
  };

  void look_at(core& c, watched_core& w, std::int64_t now) noexcept;
  bool is_held(const core& c, watched_core& w) const noexcept;
  void ask(core& c, watched_core& w, std::int64_t now) noexcept;
  // False if the worker has not answered: then it is told of once more, by name, when it does.
  bool tell(core& c, watched_core& w, std::int64_t now) noexcept;
  void look_for_rings() noexcept;

  scheduler& scheduler_;
  const std::int64_t limit_;
  std::vector<std::unique_ptr<watched_core>> watched_;
  std::int64_t next_rings_ = 0;
  std::set<std::vector<std::uint64_t>> told_rings_;
};

}  // namespace weft::inline v0::detail
