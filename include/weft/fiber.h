// The handle of a fiber.
#pragma once

#include <weft/cancelled.h>
#include <weft/deadline.h>
#include <weft/detail/fiber_body.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weft::inline v0 {

namespace detail {
struct fiber_access;
struct select_access;
}

// What every fiber<R> can do, whatever its result.
//
// Thread safety: a handle is one owner's: two threads may not use one handle at once, but any fiber or plain thread may
//   be that owner, and cancel() may be called while the owner joins.
// Lifetime: the destructor of a handle that was neither joined nor detached cancels the fiber and waits for its end,
//   shielded; an error of the fiber then goes to options::on_lost_error. A handle may outlive the runtime. What a fiber
//   leaves behind is freed with the handle, or when that gets another fiber.
class [[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] WEFT_API basic_fiber {
 public:
  basic_fiber() noexcept = default;
  basic_fiber(basic_fiber && other) noexcept
      : record_(std::exchange(other.record_, nullptr)), is_joined_(std::exchange(other.is_joined_, false)) {}
  basic_fiber& operator=(basic_fiber&& other) noexcept {
    if (this != &other) {
      drop();
      record_ = std::exchange(other.record_, nullptr);
      is_joined_ = std::exchange(other.is_joined_, false);
    }
    return *this;
  }
  ~basic_fiber() { drop(); }

  // Whether there is a fiber to join. False after join(), detach() and a move.
  bool joinable() const noexcept { return unjoined() != nullptr; }

  // Whether it has ended: join() then returns at once.
  // Ordering: what the fiber did is visible to who sees `true`.
  bool done() const noexcept { return joinable() && detail::fiber_is_done(record_); }

  // Whether it ended because it was cancelled.
  bool cancelled() const noexcept { return joinable() && detail::fiber_was_cancelled(record_); }

  // Calls `callback()` once, after the fiber has ended: on the ending fiber, or at once on the caller if it has ended
  // already. Callbacks run in order of registration; each may suspend, shielded. What one throws is reported as an error
  // that nobody joins, and the others run all the same. Also done when the handle is gone by then.
  // Throws: std::system_error (invalid_argument) for a handle without a fiber; std::bad_alloc.
  // Blocks: never, but for what a callback on the caller does.
  template <detail::callback_function F>
  void on_done(F && callback) {
    detail::on_fiber_done(unjoined(), detail::make_callback(std::forward<F>(callback)));
  }

  // Asks the fiber to end: its next and every later suspension point throws weft::cancelled. Harmless after its end. A
  // fiber that has not started never runs.
  // Blocks: never.
  void cancel(cancel_reason why = cancel_reason::user) noexcept {
    if (record_ != nullptr) detail::cancel_fiber(record_, why);
  }

  // Lets the fiber go on alone. The runtime cancels and joins it at its own end.
  void detach() noexcept {
    if (joinable()) detail::detach_fiber(std::exchange(record_, nullptr));
  }

  // Unique within its runtime; 0 for no fiber.
  std::uint64_t id() const noexcept { return joinable() ? detail::fiber_id(record_) : 0; }

  // As given in its attributes; empty for none. Valid as long as the handle.
  std::string_view name() const noexcept { return joinable() ? detail::fiber_name(record_) : std::string_view(); }

 protected:
  explicit basic_fiber(detail::fiber_record * record) noexcept : record_(record) {}

  detail::fiber_record* unjoined() const noexcept { return is_joined_ ? nullptr : record_; }

  // A reference. A join leaves it alone, for cancel() may be looking at it.
  detail::fiber_record* record_ = nullptr;
  bool is_joined_ = false;

 private:
  friend struct detail::fiber_access;
  friend struct detail::select_access;

  void drop() noexcept {
    if (record_ == nullptr) return;
    if (std::exchange(is_joined_, false)) {
      detail::release_fiber(std::exchange(record_, nullptr));
    } else {
      detail::cancel_and_join(std::exchange(record_, nullptr));
    }
  }
};

template <class R>
class [[nodiscard("dropping it cancels and joins; use spawn_detached or keep the handle")]] fiber : public basic_fiber {
 public:
  fiber() noexcept = default;

  // Waits for the end and returns the result, once.
  // Throws: what the fiber threw; weft::join_cancelled if it was cancelled; std::system_error for a handle without a
  //   fiber (invalid_argument) and for a fiber that joins itself (resource_deadlock_would_occur).
  // Cancel: throws weft::cancelled when the calling fiber is cancelled; the handle stays joinable.
  // Blocks: fiber or thread.
  R join() {
    detail::wait_fiber(unjoined(), detail::never);
    return take();
  }

  // As join(), but gives up at the deadline: false for void, an empty optional else; the handle then stays joinable.
  auto join(deadline limit) requires(!std::is_reference_v<R>) {
    const bool ended = detail::wait_fiber(unjoined(), limit.nanoseconds());
    if constexpr (std::is_void_v<R>) {
      if (ended) take();
      return ended;
    } else {
      return ended ? std::optional<R>(take()) : std::optional<R>();
    }
  }

 private:
  explicit fiber(detail::fiber_record * record) noexcept : basic_fiber(record) {}

  R take() {
    is_joined_ = true;
    if (!detail::fiber_has_value(record_)) detail::throw_fiber_outcome(record_);
    struct destroying {
      detail::fiber_record* record;
      ~destroying() {
        if constexpr (std::is_object_v<R> && !std::is_trivially_destructible_v<R>) detail::destroy_taken_result(record);
      }
    } const at_end{record_};
    // The result is the first member of every body.
    return static_cast<detail::result_slot<R>*>(detail::body_of(record_))->take();
  }

  template <class F, class... Args>
  friend auto spawn_in(runtime*, const attributes*, source_location, F&&, Args&&...)
      ->fiber<detail::call_result<F, Args...>>;
};

// What spawn() and runtime::spawn() share.
template <class F, class... Args>
auto spawn_in(runtime* where, const attributes* wanted, source_location site, F&& f, Args&&... args)
    -> fiber<detail::call_result<F, Args...>> {
  return fiber<detail::call_result<F, Args...>>(
      detail::make_fiber(where, wanted, site, false, std::forward<F>(f), std::forward<Args>(args)...));
}

}  // namespace weft::inline v0
