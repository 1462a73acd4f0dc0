// A thread whose returns the processor checks against a second stack: weft says so, and how to go without.
#include "support/replaced_system_calls.h"
#include "support/with_cores.h"

#include <cerrno>
#include <string>

namespace weft_test {
namespace {

using weft::detail::system_calls;
using status_call = int (*)(unsigned long* features) noexcept;

// What a runtime says to such an answer of the kernel; empty: it starts.
std::string refusal_after(status_call answer) {
  const replaced_system_calls table([&](system_calls& calls) { calls.shadow_stack_status = answer; });
  try {
    weft::run([] {});
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::operation_not_supported);
    return error.what();
  }
  return {};
}

TEST(shadow_stack, that_is_on_is_refused_with_the_way_out) {
  const footprint before = footprint::now();
  const std::string said = refusal_after([](unsigned long* features) noexcept {
    *features = 0b11;  // The stack, and a right to write to it.
    return 0;
  });
  EXPECT_NE(said.find("weft::runtime: this thread has a shadow stack"), std::string::npos) << said;
  EXPECT_NE(said.find("GLIBC_TUNABLES=glibc.cpu.x86_shstk=off"), std::string::npos) << said;
  EXPECT_NE(said.find("GLIBC_TUNABLES=glibc.cpu.aarch64_gcs=0"), std::string::npos) << said;
  EXPECT_TRUE(eventually([&] { return footprint::now().holds_no_more_than(before); })) << footprint::now();
}

TEST(shadow_stack, that_is_off_is_no_matter) {
  const status_call off = [](unsigned long* features) noexcept {
    *features = 0;
    return 0;
  };
  EXPECT_EQ(refusal_after(off), "");
}

TEST(shadow_stack, that_the_kernel_does_not_know_is_off) {
  for (const status_call unknown :
       {status_call([](unsigned long*) noexcept { return -EINVAL; }), status_call([](unsigned long* features) noexcept {
          *features = 1;  // Of a call that failed nothing is believed.
          return -EPERM;
        })}) {
    EXPECT_EQ(refusal_after(unknown), "");
  }
}

TEST(shadow_stack, is_what_the_kernel_says_of_this_thread) {
  unsigned long features = 0;
  const int result = weft::detail::sys().shadow_stack_status(&features);
  EXPECT_TRUE(result == 0 || result == -EINVAL || result == -EPERM) << result;
  EXPECT_EQ(features & 1, 0u) << "or no other test could run";
}

}  // namespace
}  // namespace weft_test
