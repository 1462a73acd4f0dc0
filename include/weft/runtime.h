// All that serves one set of fibers. Most programs need only weft::run().
#pragma once

#include <weft/deadline.h>
#include <weft/dump.h>
#include <weft/fiber.h>
#include <weft/options.h>
#include <weft/statistics.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft::inline v0 {

namespace detail {
class scheduler;
scheduler& scheduler_of(runtime& r) noexcept;
WEFT_API void belongs_to_run(runtime& r) noexcept;
}  // namespace detail

// A fiber that has not ended: what is known of it.
struct unfinished_fiber {
  std::string name;
  std::uint64_t id = 0;
  std::string file;  // Where it was spawned. Empty for a child of gather().
  std::uint32_t line = 0;
  std::string state;  // "waits in mutex::lock", "runs", ...
};

// Cores with their workers, reactors, timers and stacks. Several may live side by side.
//
// Thread safety: all const members, and spawn(), may be called from any thread at once.
// Lifetime: the destructor cancels every fiber that is left, joins them, and stops the workers. A fiber that neither
//   ends nor suspends keeps it waiting; it then reports, every few seconds, which ones it waits for. Fibers may not
//   destroy their own runtime: that ends the program with a message.
class WEFT_API runtime {
 public:
  // Builds and starts it.
  // Throws: std::invalid_argument (names the option and the value); std::system_error (threads, descriptors, memory);
  //   in the child of a fork() of a process that runs weft: operation_not_permitted; in a thread with a shadow stack
  //   (CET, GCS): operation_not_supported.
  runtime();
  explicit runtime(const options& wanted);
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  // As weft::spawn(), from any thread, into this runtime. Without arguments: use a lambda.
  template <class F>
  requires std::invocable<std::decay_t<F>>
  [[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] auto spawn(
      F&& f, source_location site = source_location::current()) {
    return spawn_in(this, nullptr, site, std::forward<F>(f));
  }
  template <class F>
  requires std::invocable<std::decay_t<F>>
  [[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] auto spawn(
      const attributes& wanted, F&& f, source_location site = source_location::current()) {
    return spawn_in(this, &wanted, site, std::forward<F>(f));
  }

  template <class F>
  requires std::invocable<std::decay_t<F>>
  void spawn_detached(F&& f, source_location site = source_location::current()) {
    detail::make_fiber(this, nullptr, site, true, std::forward<F>(f));
  }
  template <class F>
  requires std::invocable<std::decay_t<F>>
  void spawn_detached(const attributes& wanted, F&& f, source_location site = source_location::current()) {
    detail::make_fiber(this, &wanted, site, true, std::forward<F>(f));
  }

  // Cancels every fiber with cancel_reason::shutdown and waits for their ends, at most until `limit`. What is spawned
  // from now on is born cancelled. May be called again.
  // Returns: those that have not ended.
  // Throws: std::system_error (resource_deadlock_would_occur) inside a fiber of this runtime; std::bad_alloc.
  // Blocks: thread, or the core of a fiber of another runtime.
  std::vector<unfinished_fiber> shutdown(deadline limit);

  // What every fiber does now, with the backtraces of those that wait. Nothing is stopped for it.
  // Throws: std::bad_alloc.
  // Blocks: never; it takes some microseconds for each fiber.
  runtime_dump dump() const;

  // The fibers that wait for each other in rings, if there are any: as dump().cycles, and cheaper.
  // Throws: std::bad_alloc.
  std::vector<std::vector<std::uint64_t>> find_deadlocks() const;

  std::size_t cores() const noexcept;
  runtime_statistics statistics() const;

 private:
  friend detail::scheduler& detail::scheduler_of(runtime& r) noexcept;

  struct parts;
  std::unique_ptr<parts> parts_;
};

// The statistics of the calling fiber's runtime.
// Throws: std::system_error (operation_not_permitted) outside of fibers.
WEFT_API runtime_statistics statistics();

// As runtime::dump(), of the calling fiber's runtime; likewise throws.
WEFT_API runtime_dump dump();

}  // namespace weft::inline v0
