// The last words of a process in which a cancellation met a noexcept function.
#include "platform/system_calls.h"
#include "scheduler/cancellation.h"
#include "scheduler/core.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace weft::inline v0::detail {

namespace {

atomic<std::terminate_handler> handler_before{nullptr};

void tell_of_cancellation() noexcept {
  const fiber_record* const f = current_fiber();
  if (f == nullptr) return;
  std::array<char, 512> text{};
  const int size = std::snprintf(
      text.data(), text.size(),
      "weft: fiber %llu \"%.*s\" was cancelled in %s, and weft::cancelled cannot leave a noexcept function "
      "(a destructor?); use the error_code form there, or weft::shield()\n",
      static_cast<unsigned long long>(f->id.load(relaxed)), static_cast<int>(f->name().size()), f->name().data(),
      here()->current->cancelled_call);
  if (size > 0) sys().write(2, text.data(), static_cast<std::size_t>(size));
}

void on_terminate() {
  if (const std::exception_ptr current = std::current_exception()) {
    try {
      std::rethrow_exception(current);
    } catch (const cancelled&) {
      tell_of_cancellation();
    } catch (...) {
    }
  } else if (std::uncaught_exceptions() > 0 && current_fiber() != nullptr && here()->current->cancel_throws > 0) {
    tell_of_cancellation();  // Some compilers end a noexcept function before they note what was thrown.
  }
  if (const std::terminate_handler before = handler_before.load(acquire)) before();  // Pairs with the store below.
  std::abort();
}

}  // namespace

void report_escaped_cancellations() noexcept {
  static const bool once = [] {
    handler_before.store(std::set_terminate(&on_terminate), release);
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace weft::inline v0::detail
