#include <weft/detail/future_state.h>

#include "platform/clock.h"
#include "scheduler/callback.h"
#include "scheduler/cancellation.h"
#include "scheduler/completion.h"

#include <weft/cancelled.h>
#include <weft/future_error.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace weft::inline v0::detail {

namespace {

// Without a rethrow where the C++ runtime tells the type.
bool is_cancellation(const std::exception_ptr& error) noexcept {
#ifdef __GLIBCXX__
  return *error.__cxa_exception_type() == typeid(cancelled);
#else
  try {
    std::rethrow_exception(error);
  } catch (const cancelled&) {
    return true;
  } catch (...) {
    return false;
  }
#endif
}

std::string quoted(const char* name) { return name != nullptr ? " \"" + std::string(name) + "\"" : std::string(); }

}  // namespace

future_state::~future_state() {
  cancellation_.discard();
  delete[] name_;
}

bool future_state::wait_for_end(std::int64_t deadline) {
  if (deadline != never && deadline <= monotonic_now()) {  // Asking only: nobody needs to be suspended for that.
    check_cancelled("future::wait");
    return done();
  }
  while (!done()) {
    check_cancelled("future::wait");
    wait_node n;
    n.who = begin_wait(true, "future::wait");
    wake_reason why = wake_reason::none;
    if (end_.add(n)) {
      why = finish_wait(n.who, deadline);
      if (why != wake_reason::notified) end_.remove(n);
    } else {
      why = retract_wait(n.who);
      end_.wait_out_finisher();
    }
    if (why == wake_reason::timed_out) return done();
    // The outcome may have come together with the cancellation; then the outcome counts.
    if (why == wake_reason::cancelled && !done()) throw_cancelled();
  }
  return true;
}

void future_state::add_callback(callback_node* callback) noexcept { call_when_done(end_, *callback); }

void future_state::add_cancel_callback(callback_node* callback) noexcept { call_when_done(cancellation_, *callback); }

void future_state::settle_cancelled() noexcept {
  add_reference();  // The other holders may be gone as soon as the end is known.
  end_.finish();
  cancellation_.finish();
  release();
}

bool future_state::cancel() noexcept {
  future_phase seen = phase_.load(relaxed);
  for (;;) {
    if (seen == future_phase::open) {
      // Published by finish().
      if (!phase_.compare_exchange_weak(seen, future_phase::cancelled, relaxed, relaxed)) continue;
      settle_cancelled();
      return true;
    }
    if (seen != future_phase::storing) return false;
    // Remembered for the case that the producer fails to construct the value.
    if (phase_.compare_exchange_weak(seen, future_phase::storing_unwanted, relaxed, relaxed)) return false;
  }
}

void future_state::abandon_store() noexcept {
  future_phase storing = future_phase::storing;
  // Release: pairs with begin_store().
  if (phase_.compare_exchange_strong(storing, future_phase::open, detail::release, relaxed)) return;
  phase_.store(future_phase::cancelled, relaxed);  // Ours alone, as long as we are storing; finish() publishes it.
  settle_cancelled();
}

void future_state::end_store(std::exception_ptr error) noexcept {
  if (is_cancellation(error)) {
    phase_.store(future_phase::cancelled, relaxed);  // Published by finish().
    settle_cancelled();
  } else {
    error_ = std::move(error);
    settle(future_phase::error);
  }
}

void future_state::check_caller() const {
  if (is_cancelled()) check_cancelled("future::get");
}

void future_state::throw_failure(const char* call) const {
  if (is_cancelled()) throw join_cancelled(std::string(call) + ": the future" + quoted(name_) + " was cancelled");
  std::rethrow_exception(error_);
}

bool future_state::set_error(std::exception_ptr error, const char* call) {
  if (error == nullptr) throw std::invalid_argument(std::string(call) + ": the exception pointer is null");
  if (!begin_store()) return false;
  end_store(std::move(error));
  return true;
}

void future_state::refuse_second(const char* call) const {
  if (is_cancelled()) return;
  throw future_error(std::future_errc::promise_already_satisfied,
                     std::string(call) + ": the promise" + quoted(name_) + " has a result already");
}

void future_state::break_promise() noexcept {
  // The last to know of it need not say so; release() looks again. Acquire: pairs with release(): what a future that is gone
  // has registered is seen.
  if (references_.load(acquire) == 1 && end_.is_unwatched()) return;
  if (!begin_store()) return;
  std::exception_ptr error;
  try {
    error = std::make_exception_ptr(
        broken_promise("weft: broken promise" + quoted(name_) + ": it was destroyed without a result"));
  } catch (...) {
    error = std::current_exception();
  }
  end_store(std::move(error));
}

void future_state::set_name(std::string_view name) {
  if (name.empty()) return;
  name_ = new char[name.size() + 1];
  std::memcpy(name_, name.data(), name.size());
  name_[name.size()] = '\0';
}

void future_state::retrieve(const char* call) {
  if (std::exchange(is_retrieved_, true)) {
    throw future_error(std::future_errc::future_already_retrieved,
                       std::string(call) + ": the future" + quoted(name_) + " was taken before");
  }
}

void refuse_without_state(const char* call) {
  throw future_error(std::future_errc::no_state,
                     std::string(call) + ": there is no state: it was moved away, taken, or never there");
}

}  // namespace weft::inline v0::detail
