// What a core's loop needs of the reactor that is built above it.
#pragma once

#include <cstdint>

namespace weft::inline v0::detail {

// Thread safety: poll() and park() by the core's worker only; wake() by any thread.
class event_source {
 public:
  virtual ~event_source() = default;

  // Takes what is ready without blocking, makes fibers ready, runs due timers. True if anything became ready.
  virtual bool poll() noexcept = 0;

  // How the worker sleeps: true if park() blocks in the poller, where only wake() ends it; false if the worker blocks in
  // its note, since nothing is registered here, or another thread leads the poller.
  virtual bool parks_in_poller() const noexcept = 0;

  // Whether a thread of its own runs the timers for good; else they are the worker's, wherever that sleeps.
  virtual bool keeps_timers() const noexcept = 0;

  // Blocks until an event, a wake() or `deadline`; then as poll(). Only where parks_in_poller().
  virtual void park(std::int64_t deadline) noexcept = 0;

  // Ends a park() under way or the next one. One call is enough for one park().
  virtual void wake() noexcept = 0;

  // The monitor: this core's worker has not moved for a while; somebody else should look after its events and timers.
  virtual void stand_in() noexcept = 0;

  // Whether any descriptor is registered here.
  virtual bool has_descriptors() const noexcept = 0;
};

}  // namespace weft::inline v0::detail
