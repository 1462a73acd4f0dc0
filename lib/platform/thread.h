// Threads as weft needs them: named, deaf to asynchronous signals, on a chosen CPU, with known floating-point control
// words.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace weft::inline v0::detail {

// A thread that must be joined.
class native_thread {
 public:
  // The longest name that the kernel keeps, in bytes.
  static constexpr std::size_t max_name = 15;

  native_thread() noexcept = default;

  // Starts a thread that runs `entry`, named `name` (cut to `max_name` bytes). It starts with every signal blocked but
  // SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS and SIGPROF, and with the CPUs of its creator: what must
  // not inherit a worker's pin calls unpin_this_thread() first. An exception out of `entry` terminates.
  // Throws: std::system_error naming the thread when it cannot be created; std::bad_alloc.
  native_thread(std::string_view name, std::function<void()> entry);

  native_thread(native_thread&& other) noexcept;
  native_thread& operator=(native_thread&& other) noexcept;  // Requires: !joinable(), else it terminates.
  ~native_thread();                                          // Requires: !joinable(), else it terminates.

  bool joinable() const noexcept { return joinable_; }

  // Whether the caller is this thread.
  bool is_current() const noexcept;

  // Waits until `entry` has returned.
  // Requires: joinable(), and that the caller is another thread.
  // Blocks: thread.
  void join() noexcept;

  pthread_t native_handle() const noexcept { return handle_; }

 private:
  pthread_t handle_{};
  bool joinable_ = false;
};

// The threads that were started as native_thread and have not ended; and all threads of the process, 0 where that is
// not known.
std::size_t native_threads() noexcept;
std::size_t process_threads() noexcept;

// The kernel's number of the calling thread; 0 where there is none.
std::int32_t this_thread_id() noexcept;

// Lets signal `number` come to the calling thread.
void unblock_signal(int number) noexcept;

// Lets the kernel run another thread of this CPU.
void yield_thread() noexcept;

// CPUs by operating-system number, ascending, each once.
using cpu_set = std::vector<int>;

// Restricts the calling thread to `cpus`.
// Returns: 0, EINVAL for an empty set or one without a usable CPU, or ENOTSUP where threads cannot be pinned.
int pin_this_thread(std::span<const int> cpus) noexcept;

// Gives the calling thread the CPUs of original_affinity() back.
// Returns: as pin_this_thread().
int unpin_this_thread() noexcept;

// The CPUs that the first caller's thread might use at that time. A runtime asks before it pins anything, so this is
// what the process was given. Never empty.
// Throws: std::bad_alloc, at the first call.
const cpu_set& original_affinity();

// The CPUs that the calling thread may use now; empty where the system does not tell.
cpu_set current_affinity();

// Whether the processor says that it is virtual: there, waking an idle CPU costs tens of microseconds, so
// spinning pays for longer. False where the processor cannot say.
bool under_hypervisor() noexcept;

// Sets the floating-point control words of the calling thread to the state that a C program starts with
// (round to nearest, no traps, no flush to zero), whatever its creator had. All workers have the same, so
// that a switch of fibers need not save them.
void set_default_float_control() noexcept;

// The control words as one value, to be set again on any thread.
std::uint64_t float_control() noexcept;
void set_float_control(std::uint64_t control) noexcept;

}  // namespace weft::inline v0::detail
