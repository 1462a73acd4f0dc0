#include "scheduler/resume_hints.h"

#include <gtest/gtest.h>

#include <array>

namespace weft::inline v0::detail {
namespace {

// Fetching cannot be seen; what can is that there is one for each that was given, as far as there is room.
TEST(resume_hints, are_as_many_as_were_given_and_fit) {
  std::array<std::byte, 1024> stack{};
  resume_hints hints;
  const auto fetch_all = [&hints] {
    int fetched = 0;
    for (; !hints.empty(); ++fetched) hints.fetch_next();
    return fetched;
  };
  EXPECT_TRUE(hints.empty());
  for (const int given : {1, 2, 100, 128, 1000, 3}) {
    for (int i = 0; i < given; ++i) hints.give(stack.data());
    EXPECT_EQ(fetch_all(), std::min(given, 128));
  }
}

}  // namespace
}  // namespace weft::inline v0::detail
