// What a failed test ran with, told from a fiber: SCOPED_TRACE keeps its text with the thread, which a fiber may leave.
#pragma once

#include <gtest/gtest.h>
#include <cstdio>
#include <string>
#include <utility>

namespace weft_test {

// Says `text` at its end, if the test has failed by then.
class failure_note {
 public:
  explicit failure_note(std::string text) : text_(std::move(text)) {}
  ~failure_note() {
    if (::testing::Test::HasFailure()) std::fprintf(stderr, "the failure was with %s\n", text_.c_str());
  }
  failure_note(const failure_note&) = delete;
  failure_note& operator=(const failure_note&) = delete;

 private:
  std::string text_;
};

}  // namespace weft_test
