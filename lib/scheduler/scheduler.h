// What the cores of one runtime share.
#pragma once

#include "context/stack_arena.h"
#include "platform/thread.h"
#include "platform/topology.h"
#include "scheduler/alive_schedulers.h"
#include "scheduler/core.h"
#include "scheduler/idle_cores.h"
#include "scheduler/injection.h"
#include "scheduler/overflow_report.h"
#include "scheduler/record_memory.h"

#include <weft/options.h>

#include <functional>
#include <memory>
#include <vector>

namespace weft::inline v0::detail {

class monitor;
class stack_marks;

class scheduler {
 public:
  // Builds the cores, not yet running. Throws: std::system_error, std::bad_alloc.
  scheduler(const options& wanted, topology seats);
  ~scheduler();

  // Starts a worker for each core, and the monitor. `prepare` is called on each worker's thread before its loop.
  void start(const std::function<void(core&)>& prepare);

  // Ends the workers and waits for them. Requires: no live fiber.
  void stop() noexcept;

  // Cancels every live fiber again and again until none is left, or until the deadline; fibers spawned meanwhile, and
  // from then on, are born cancelled. False if some are left.
  bool drain(std::int64_t deadline) noexcept;

  bool is_stopping() const noexcept { return stopping_.load(relaxed); }
  bool is_draining() const noexcept { return draining_.load(relaxed); }

  // Any thread: as wake_one_for(), without a place to prefer.
  void wake_one() noexcept;

  // A worker that has left the parked state.
  void tell_monitor_awake() noexcept;

  // Whether any core has work that another could take.
  bool sees_open_work() const noexcept;

  // An un-started fiber from a thread that is no worker here. Throws bad_alloc with nothing changed.
  void inject(fiber_record& f);

  // Shows all fibers that live or call what waits for their end; any of them may end, and its block pass on to another one, while it is looked at.
  void for_each_fiber(const std::function<void(fiber_record&)>& visit);
  std::uint64_t live_fibers() const noexcept;

  // The end of a fiber calls callbacks, which keep the runtime as fibers do, from their registration to their return.
  void callback_registered() noexcept { callbacks_registered_.fetch_add(1, relaxed); }
  void callback_returned() noexcept { callbacks_returned_.fetch_add(1, release); }  // Pairs with is_anything_left().
  // A fiber or a callback.
  bool is_anything_left() const noexcept;

  // Fibers from outside have the ids 1 + n * (cores + 1), those of a core index + 2 + n * (cores + 1).
  static constexpr std::uint64_t first_outside_id = 1;
  std::uint64_t new_fiber_id() noexcept { return outside_ids_.fetch_add(seats.size() + 1, relaxed); }

  // Errors that nobody joined, and reports.
  void report(std::string_view text) noexcept;
  monitor* watcher() const noexcept { return monitor_.get(); }
  void report_lost_error(const fiber_record& f) noexcept { report_lost_error(f, f.error); }
  void report_lost_error(const fiber_record& f, const std::exception_ptr& error) noexcept;

  // While one exists, the scheduler outlives the calling thread's use of it.
  class visit {
   public:
    explicit visit(scheduler& s) noexcept : s_(s) { s_.visitors_.fetch_add(1, relaxed); }
    ~visit() { s_.visitors_.fetch_sub(1, release); }  // Pairs with stop().
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

   private:
    scheduler& s_;
  };

  const options wanted;
  const topology seats;

  // While the constructor may still throw: nobody else holds a record yet.
  struct free_records {
    void operator()(record_memory* m) const noexcept { m->leave_to_strangers(0); }
  };
  std::unique_ptr<record_memory, free_records> unfinished;
  record_memory& records;  // May outlive us.
  stack_arena_set stacks;
  idle_cores idle;
  fiber_traits usual_traits;  // Of a fiber without attributes.
  injection injected;
  const std::unique_ptr<stack_marks> marks;  // Null unless the options ask for it.
  std::vector<std::unique_ptr<core>> cores;
  atomic<std::uint64_t> spawned_outside{0};
  atomic<bool> belongs_to_run{false};  // Its maker waits in run() and touches nothing.
  bool may_spin = false;               // Constant once started, as the two below; in nanoseconds.
  std::int64_t first_spin = 0;
  std::int64_t longest_spin = 0;

 private:
  const overflow_watch overflows_;
  const alive_entry alive_{*this};
  std::vector<std::uint16_t> all_cores_;
  std::vector<native_thread> workers_;
  std::unique_ptr<monitor> monitor_;
  atomic<std::uint64_t> outside_ids_{first_outside_id};
  atomic<std::uint64_t> callbacks_registered_{0};
  atomic<std::uint64_t> callbacks_returned_{0};
  atomic<std::uint32_t> visitors_{0};
  atomic<bool> draining_{false};
  atomic<bool> stopping_{false};
};

}  // namespace weft::inline v0::detail
