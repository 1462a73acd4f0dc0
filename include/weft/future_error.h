// What a misused future, and one whose promise was broken, throws.
#pragma once

#include <weft/detail/config.h>

#include <future>
#include <stdexcept>
#include <string>

namespace weft::inline v0 {

// As std::future_error, with a text that names the call. code() is std::future_errc::no_state,
// future_already_retrieved, promise_already_satisfied or broken_promise.
class WEFT_API future_error : public std::future_error {
 public:
  future_error(std::future_errc code, const std::string& what) : std::future_error(code), text_(what) {}
  const char* what() const noexcept override { return text_.what(); }

 private:
  std::runtime_error text_;  // A string whose copies do not throw.
};

// Thrown by get() when the promise, or the packaged_task, was destroyed without a result. The text holds the name that
// the promise was given.
class WEFT_API broken_promise : public future_error {
 public:
  explicit broken_promise(const std::string& what) : future_error(std::future_errc::broken_promise, what) {}
};

}  // namespace weft::inline v0
