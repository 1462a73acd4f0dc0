// Helpers for what futures throw.
#pragma once

#include "support/with_cores.h"

#include <future>
#include <string>

namespace weft_test {

template <class Call>
std::future_errc code_of(Call call) {
  try {
    call();
  } catch (const std::future_error& error) {
    return static_cast<std::future_errc>(error.code().value());
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

template <class Error, class Call>
std::string text_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

}  // namespace weft_test
