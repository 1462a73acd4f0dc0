// What a call throws, as text.
#pragma once

#include <weft/scope.h>

#include <exception>
#include <functional>
#include <string>

namespace weft_test {

// The texts of the errors that `f` throws together; of one error, its text.
inline std::string errors_of(const std::function<void()>& f) {
  std::string text;
  try {
    f();
  } catch (const weft::scope_errors& several) {
    for (const std::exception_ptr& each : several.errors()) {
      text += "(" + errors_of([&each] { std::rethrow_exception(each); }) + ")";
    }
  } catch (const std::exception& one) {
    text = one.what();
  }
  return text;
}

}  // namespace weft_test
