#include <cstdio>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "platform/symbols.h"

namespace {

using namespace weft::detail;

symbol named(const char* function, const char* module = "") {
  symbol s;
  std::snprintf(s.function, sizeof s.function, "%s", function);
  std::snprintf(s.module, sizeof s.module, "%s", module);
  return s;
}

// Without the address in front.
std::string written(const symbol& s) {
  fixed_text text;
  write_frame(text, &text, s);
  const std::string all(text.view());
  return all.substr(all.find(' ') + 1);
}

TEST(symbol_text, shows_plain_names_as_they_are_written) {
  EXPECT_EQ(written(named("_Z4workv")), "work");
  EXPECT_EQ(written(named("_ZL4worki")), "work") << "of one file";
  EXPECT_EQ(written(named("_ZN4weft3net6acceptEv")), "weft::net::accept");
  EXPECT_EQ(written(named("_ZN12_GLOBAL__N_19go_deeperEi")), "(anonymous namespace)::go_deeper");
  EXPECT_EQ(written(named("main")), "main");
}

TEST(symbol_text, leaves_what_is_more_than_a_name_to_other_tools) {
  for (const char* mangled : {"_Z4workIiEvT_", "_ZN3box4workIiEEvv", "_ZNSt6vectorIiE9push_backEi", "_ZN3boxC1Ev",
                              "_Z99short", "_Z", "_ZN"}) {
    EXPECT_EQ(written(named(mangled)), mangled);
  }
}

TEST(symbol_text, names_the_module_and_the_place_in_it_where_no_function_is_known) {
  EXPECT_EQ(written(named("_Z4workv", "app")), "work in app");
  symbol nameless = named("", "libc.so.6");
  nameless.offset = 0x1f0;
  EXPECT_EQ(written(nameless), "libc.so.6+0x1f0");
  EXPECT_EQ(written(named("")), "");
}

TEST(symbol_text, of_a_report_is_taken_apart_in_full) {
  EXPECT_NE(frame_text(nullptr, named("_Z4workIiEvT_")).find("work<int>"), std::string::npos)
      << frame_text(nullptr, named("_Z4workIiEvT_"));
}

}  // namespace
