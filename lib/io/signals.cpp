// Invariant: a signal leaves the kernel only in the call, or the chosen case, that hands it out. So a select asks the
//   descriptor whether one is pending, and reads where it commits: in try_now(), or with its own wait claimed.
// The descriptor is watched from the first wait on, by the runtime of the fiber that waits, and anew by the next one once
//   that is gone.
#include <weft/signals.h>

#include "io/failure.h"
#include "platform/signal_source.h"
#include "platform/spin_lock.h"
#include "platform/system_calls.h"
#include "reactor/descriptor.h"

#include <cerrno>
#include <mutex>
#include <string>

namespace weft::inline v0 {

namespace detail {

// The descriptor is lent to its base, which watches it.
struct signal_source : descriptor {
  explicit signal_source(int fd) noexcept : source(fd) {}
  ~signal_source() {
    close();
    sys().close(source);
  }
  signal_source(const signal_source&) = delete;
  signal_source& operator=(const signal_source&) = delete;

  // Returns: 0, EPERM outside of fibers or where another runtime watches it, ENOMEM. Nobody else may go on: borrow() writes
  // what calls of the runtime that watches it read, and only these have ended when that runtime is gone.
  int watch() noexcept {
    const std::scoped_lock hold(watching);
    if (!is_open() || has_lost_runtime()) return borrow(source, *this);
    return is_of_this_runtime() ? 0 : EPERM;
  }

  const int source;
  spin_lock watching;
};

namespace {

signal_info info_of(const pending_signal& s) noexcept { return {s.number, s.process, s.user, s.value}; }

// Returns: 0, ETIMEDOUT, ECANCELED, EBUSY, EPERM, ENOMEM; what the system refuses.
int receive_from(signal_source& from, std::int64_t limit, signal_info& out) noexcept {
  if (const int error = from.watch()) return error;
  pending_signal taken;
  const std::ptrdiff_t result =
      from.perform(direction::read, limit, 0, [&taken](int fd) noexcept { return take_signal(fd, taken); });
  if (result < 0) return static_cast<int>(-result);
  out = info_of(taken);
  return 0;
}

[[noreturn]] void fail(int error, std::string_view call) {
  throw_failure(error, {call, {}, explain_permission(error)});
}

std::string list_of(std::span<const int> numbers) {
  std::string text = "for";
  for (const int number : numbers) text.append(" ").append(std::to_string(number));
  return numbers.empty() ? "for no number" : text;
}

void check_all_block(std::span<const int> numbers) {
  const open_thread found = find_thread_open_to(numbers);
  if (found.number == 0) return;
  throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                          "weft::signals: thread " + std::to_string(found.id) + " does not block signal " +
                              std::to_string(found.number) + ": block it in main() before any thread begins");
}

}  // namespace

// --- A case of a select ------------------------------------------------------------------------------------------------

struct signal_cases {
  static constexpr const select_ops& pending = descriptor_case_ops::readable;

  static signal_source& source_of(select_case& c) noexcept {
    return static_cast<signal_source&>(*static_cast<descriptor*>(c.object));
  }

  static bool take(select_case& c) {
    pending_signal taken;
    const int result = take_signal(source_of(c).source, taken);
    if (result == -EAGAIN) return false;
    if (result < 0) fail(-result, "weft::select: on_signal");
    *static_cast<signal_info*>(c.place) = info_of(taken);
    return true;
  }

  static bool try_now(select_case& c) {
    if (const int error = source_of(c).watch()) fail(error, "weft::select: on_signal");
    return pending.try_now(c) && take(c);
  }

  // Another object may have taken the one that was pending.
  static enroll_result enroll(select_case& c) {
    const enroll_result result = pending.enroll(c);
    return result == enroll_result::taken && !take(c) ? enroll_result::again : result;
  }

  static void withdraw(select_case& c) noexcept { pending.withdraw(c); }
  static bool won(select_case& c) { return pending.won(c); }
};

constinit const select_ops signals_access::case_ops = {&signal_cases::try_now, &signal_cases::enroll,
                                                       &signal_cases::withdraw, &signal_cases::won};

descriptor* signals_access::object_of(const signals& s) noexcept { return s.source_.get(); }

}  // namespace detail

// --- signals -------------------------------------------------------------------------------------------------------------

signals::signals(std::span<const int> numbers) {
  const int source = detail::open_signal_source(numbers);
  if (source < 0) detail::throw_failure(-source, {"weft::signals", detail::list_of(numbers)});
  try {
    source_ = std::make_unique<detail::signal_source>(source);
  } catch (...) {
    detail::sys().close(source);
    throw;
  }
  detail::check_all_block(numbers);
}

signals::~signals() = default;
signals::signals(signals&&) noexcept = default;
signals& signals::operator=(signals&&) noexcept = default;

signal_info signals::receive() {
  signal_info out;
  if (const int error = detail::receive_from(*source_, detail::never, out)) detail::fail(error, "signals::receive");
  return out;
}

signal_info signals::receive(std::error_code& ec) noexcept {
  signal_info out;
  ec = detail::to_error_code(detail::receive_from(*source_, detail::never, out));
  return out;
}

std::optional<signal_info> signals::receive_until(deadline limit) {
  signal_info out;
  const int error = detail::receive_from(*source_, limit.nanoseconds(), out);
  if (error == ETIMEDOUT) return std::nullopt;
  if (error != 0) detail::fail(error, "signals::receive");
  return out;
}

std::optional<signal_info> signals::receive_until(deadline limit, std::error_code& ec) noexcept {
  signal_info out;
  const int error = detail::receive_from(*source_, limit.nanoseconds(), out);
  ec = detail::to_error_code(error == ETIMEDOUT ? 0 : error);
  return error == 0 ? std::optional(out) : std::nullopt;
}

std::optional<signal_info> signals::try_receive() {
  detail::pending_signal taken;
  const int result = detail::take_signal(source_->source, taken);
  if (result == -EAGAIN) return std::nullopt;
  if (result < 0) detail::fail(-result, "signals::try_receive");
  return detail::info_of(taken);
}

}  // namespace weft::inline v0
