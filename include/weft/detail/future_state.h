// What a promise and its futures share: one block on the heap, with the value behind the state.
//
// Roles: *producers* (the promise; several may race to set it); *consumers* (the futures), which wait and may cancel.
// Invariant: the phase leaves `open` for an outcome once, by compare-and-swap; `end_` is finished once, after the
//   outcome is written, by whoever won.
// Phases: open -> storing      a producer, which then constructs the value
//         storing -> value, error
//         storing -> open      the construction threw
//         open -> cancelled    a consumer
//         storing -> storing_unwanted   a consumer that came too late, unless the construction throws:
//         storing_unwanted -> value, error, cancelled
#pragma once

#include <weft/deadline.h>
#include <weft/detail/atomic.h>
#include <weft/detail/callback.h>
#include <weft/detail/completion.h>
#include <weft/detail/fiber_body.h>

#include <cstdint>
#include <exception>
#include <string_view>

namespace weft::inline v0::detail {

enum class future_phase : std::uint8_t { open, storing, storing_unwanted, value, error, cancelled };

class WEFT_API future_state {
 public:
  using destroy_function = void (*)(future_state*) noexcept;

  explicit future_state(destroy_function destroy) noexcept : destroy_(destroy) {}
  future_state(destroy_function destroy, completion::already_done made) noexcept : destroy_(destroy), end_(made) {}
  future_state(const future_state&) = delete;
  future_state& operator=(const future_state&) = delete;

  void add_reference() noexcept { references_.fetch_add(1, relaxed); }
  void release() noexcept {
    // As for fibers: the last holder knows it by a load. Acquire: the others' last accesses.
    if (references_.load(acquire) == 1 || references_.fetch_sub(1, acq_rel) == 1) destroy_(this);
  }

  completion& end() noexcept { return end_; }

  // Consumers. The phase is an outcome once done() was seen.
  bool done() const noexcept { return end_.done(); }
  bool has_value() const noexcept { return phase_.load(relaxed) == future_phase::value; }
  bool is_cancelled() const noexcept { return phase_.load(relaxed) == future_phase::cancelled; }
  // False at the deadline. Throws weft::cancelled.
  bool wait(std::int64_t deadline) { return done() || wait_for_end(deadline); }
  void add_callback(callback_node* callback) noexcept;
  // Whether this call did it.
  bool cancel() noexcept;
  // Requires: done, without a value. Throws weft::cancelled where the caller is cancelled itself.
  void check_caller() const;
  [[noreturn]] void throw_failure(const char* call) const;

  // Producers. begin_store() gives one of them the right, and the duty, to call one of the others.
  bool begin_store() noexcept {
    future_phase open = future_phase::open;
    // Acquire: pairs with abandon_store(), whose producer has used the place of the value.
    return phase_.compare_exchange_strong(open, future_phase::storing, acquire, relaxed);
  }
  void end_store() noexcept { settle(future_phase::value); }
  void end_store(std::exception_ptr error) noexcept;  // weft::cancelled cancels it instead.
  void abandon_store() noexcept;

  // Throws promise_already_satisfied, unless it was cancelled: then what is set is dropped.
  void refuse_second(const char* call) const;
  bool set_error(std::exception_ptr error, const char* call);
  // The producer goes: without a result, the promise is broken.
  void drop_promise() noexcept {
    if (phase_.load(relaxed) == future_phase::open) break_promise();
    release();
  }
  void set_name(std::string_view name);
  void add_cancel_callback(callback_node* callback) noexcept;
  // Once: throws future_already_retrieved from the second time on.
  void retrieve(const char* call);

 protected:
  ~future_state();
  atomic<future_phase> phase_{future_phase::open};

 private:
  bool wait_for_end(std::int64_t deadline);
  void settle(future_phase outcome) noexcept {
    phase_.store(outcome, relaxed);  // Published by finish().
    end_.finish();
  }
  void settle_cancelled() noexcept;
  void break_promise() noexcept;

  bool is_retrieved_ = false;
  atomic<std::uint32_t> references_{1};
  destroy_function destroy_;
  completion end_;
  completion cancellation_;
  std::exception_ptr error_;
  char* name_ = nullptr;
};

[[noreturn]] WEFT_API void refuse_without_state(const char* call);

template <class T>
struct future_block : future_state {
  result_slot<T> slot;

  future_block() noexcept : future_state(&destroy) {}
  template <class Make>
  future_block(completion::already_done made, Make&& make) : future_state(&destroy, made) {
    slot.fill(std::forward<Make>(make));
    phase_.store(future_phase::value, relaxed);  // Nobody else knows of it yet.
  }
  ~future_block() {
    if (has_value()) slot.destroy();
  }
  static void destroy(future_state* state) noexcept { delete static_cast<future_block*>(state); }

  // False where it has an outcome already. What `make` throws is passed on, and the future stays open.
  template <class Make>
  bool store(Make&& make) {
    if (!begin_store()) return false;
    try {
      slot.fill(std::forward<Make>(make));
    } catch (...) {
      abandon_store();
      throw;
    }
    end_store();
    return true;
  }
};

// Holds one reference.
class future_reference {
 public:
  future_reference() noexcept = default;
  explicit future_reference(future_state* state) noexcept : state_(state) {}
  future_reference(const future_reference& other) noexcept : state_(other.state_) {
    if (state_ != nullptr) state_->add_reference();
  }
  future_reference(future_reference&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  future_reference& operator=(future_reference other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~future_reference() {
    if (state_ != nullptr) state_->release();
  }

  explicit operator bool() const noexcept { return state_ != nullptr; }
  future_state* get() const noexcept { return state_; }
  future_state* let_go() noexcept { return std::exchange(state_, nullptr); }
  future_state& checked(const char* call) const {
    if (state_ == nullptr) refuse_without_state(call);
    return *state_;
  }

 private:
  future_state* state_ = nullptr;
};

}  // namespace weft::inline v0::detail
