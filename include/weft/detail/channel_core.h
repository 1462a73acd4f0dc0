// What all channels are, whatever they carry: a lock, two lists of waiters, and a few counts. See channel_core.cpp.
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/duration.h>
#include <weft/detail/object_lock.h>
#include <weft/detail/select_case.h>
#include <weft/detail/wait_list_ends.h>

#include <cstddef>
#include <cstdint>
#include <exception>

namespace weft::inline v0::detail {

class channel_core;
class channel_section;

// What the library must know of the values and of where they are kept. `value` points to a T, `place` to a
// std::optional<T>. All but grow() and discard() are called under the channel's lock.
struct channel_ops {
  void (*hand_over)(void* place, void* value);  // From a sender to a receiver. Throws what moving throws.
  void (*put)(channel_core& c, void* value);    // Into the buffer; there is memory. Strong.
  void (*take)(channel_core& c, void* place);   // Out of the buffer, which holds something. Strong.
  bool (*has_memory)(const channel_core& c);    // For one more value.
  void (*grow)(channel_core& c);                // Gets memory, and takes the lock to install it. Throws bad_alloc.
  void* (*surplus)(channel_core& c) noexcept;   // Memory that an empty buffer can do without.
  void (*discard)(void* surplus) noexcept;
};

// Broken: closed with an error, which throw_close_error() throws.
enum class channel_status : std::uint8_t { done, would_wait, closed, broken, timed_out, no_memory };

class WEFT_API channel_core {
 public:
  channel_core(const channel_core&) = delete;
  channel_core& operator=(const channel_core&) = delete;

 protected:
  static constexpr std::size_t unlimited = SIZE_MAX;
  // Operations in a row that did not wait, until one lets others run.
  static constexpr std::uint32_t longest_run = 64;

  channel_core(const channel_ops& ops, std::size_t capacity) noexcept
      : limit_(capacity), capacity_(capacity), ops_(ops) {}
  ~channel_core();

  WEFT_ALWAYS_INLINE void lock() const noexcept { lock_.lock(); }
  WEFT_ALWAYS_INLINE void unlock() const noexcept { lock_.unlock(); }

  struct unlock_at_end {
    const channel_core& core;
    ~unlock_at_end() { core.unlock(); }
  };

  // Under the lock: whether a value may go into, or out of, the buffer without a look at anybody who waits. Counts the
  // operation; where this one must let others run first, the answer is no.
  WEFT_ALWAYS_INLINE bool may_put() noexcept {
    return count_ < limit_ && receivers_.first == nullptr && run_left_ != 0 && run_left_-- != 0;
  }
  WEFT_ALWAYS_INLINE bool may_take() noexcept {
    return count_ != 0 && senders_.first == nullptr && run_left_ != 0 && run_left_-- != 0;
  }
  WEFT_ALWAYS_INLINE void note_put() noexcept {
    ++count_;
    ++unfinished_;
  }

  // Called with the lock held, they return without it. A `deadline` of 0 or less does not wait.
  // Throws: weft::cancelled, what moving the value throws, std::bad_alloc; then nothing happened.
  channel_status send_slow(void* value, std::int64_t deadline);
  channel_status receive_slow(void* place, std::int64_t deadline);
  // Sends at once and closes, in one step: nothing of the channel is touched once the value is there.
  channel_status send_last(void* value);

  // False if it was closed before.
  bool close_with(std::exception_ptr error) noexcept;
  // Called with the lock held, returns without it: `count` values of the buffer are gone, nobody will report them.
  void forget(std::size_t count) noexcept;
  [[noreturn]] void throw_closed(const char* call) const;
  [[noreturn]] void throw_close_error() const;

  std::size_t count() const noexcept;
  std::size_t capacity() const noexcept { return capacity_; }
  bool is_closed() const noexcept;
  bool is_drained() const noexcept;

  void task_done();
  bool join_until(std::int64_t deadline);

  static const select_ops receive_case_ops;
  static const select_ops send_case_ops;

  mutable object_lock lock_;
  // All under the lock:
  std::uint32_t run_left_ = longest_run;
  std::size_t count_ = 0;  // Values in the buffer.
  std::size_t limit_;      // How many there may be: the capacity, or 0 once closed.
  wait_list_ends receivers_;
  wait_list_ends senders_;
  std::size_t unfinished_ = 0;  // Values sent and not reported by task_done().
  bool is_closed_ = false;
  wait_list_ends joiners_;
  std::exception_ptr error_;
  // Constant:
  const std::size_t capacity_;
  const channel_ops& ops_;

 private:
  friend class channel_section;
  friend struct channel_cases;

  void take_turn();
  channel_status offer(void* value, channel_section& section);
  channel_status accept(void* place, channel_section& section);
  void refill(channel_section& section) noexcept;
  void close_in(channel_section& section) noexcept;
};

// How select() reaches into a channel.
struct channel_access {
  template <class Channel>
  static channel_core& core_of(Channel& c) noexcept {
    return c;
  }
  template <class Channel>
  static const select_ops& receive_ops(const Channel&) noexcept {
    return Channel::receive_case_ops;
  }
  template <class Channel>
  static const select_ops& send_ops(const Channel&) noexcept {
    return Channel::send_case_ops;
  }
};

}  // namespace weft::inline v0::detail
