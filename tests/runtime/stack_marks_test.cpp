// How deep the fibers of each spawn site have come.
#include "runtime/report_support.h"

using namespace weft_test;

namespace {

constexpr std::size_t deep_bytes = 20 * 1024;

__attribute__((noinline)) void go_deep() {
  char frame[deep_bytes];
  for (std::size_t i = 0; i < deep_bytes; i += 64) frame[i] = 1;
  __asm__ __volatile__("" ::"r"(frame) : "memory");
}

const weft::stack_mark* mark_of(const weft::runtime_dump& all, int line) {
  for (const weft::stack_mark& each : all.stacks) {
    if (each.line == static_cast<std::uint32_t>(line) && contains(each.file, "stack_marks_test.cpp")) return &each;
  }
  return nullptr;
}

void measured(const setting& wanted, const std::function<void()>& body) {
  if (is_instrumented) GTEST_SKIP() << "sanitizers make frames larger, and keep some elsewhere";
  run_under(wanted, body, [](weft::options& options) { options.stack_marks = true; });
}

}  // namespace

// On one core each fiber gets the stack that the one before it has left.
TEST(stack_marks, are_of_the_fibers_of_a_place_and_of_no_other) {
  measured({1}, [] {
    const int deep = __LINE__ + 1;
    for (int i = 0; i < 3; ++i) weft::spawn(go_deep).join();
    const int shallow = __LINE__ + 1;
    for (int i = 0; i < 2; ++i) weft::spawn([] {}).join();
    const weft::runtime_dump all = weft::dump();
    const weft::stack_mark* const of_deep = mark_of(all, deep);
    const weft::stack_mark* const of_shallow = mark_of(all, shallow);
    ASSERT_TRUE(of_deep != nullptr && of_shallow != nullptr) << all.text();
    EXPECT_EQ(of_deep->fibers, 3u);
    EXPECT_EQ(of_shallow->fibers, 2u);
    EXPECT_GE(of_deep->deepest_bytes, deep_bytes);
    EXPECT_LT(of_deep->deepest_bytes, deep_bytes + 4096);
    EXPECT_LT(of_shallow->deepest_bytes, 4096u);
    EXPECT_GE(of_deep->size_bytes, std::size_t{60} << 10);
    EXPECT_EQ(all.stacks.front().line, static_cast<std::uint32_t>(deep)) << "the deepest first";
    EXPECT_TRUE(contains(all.text(), "deepest stacks, by the place of the spawn")) << all.text();
    EXPECT_TRUE(contains(all.json(), "\"deepest_bytes\": " + std::to_string(of_deep->deepest_bytes))) << all.json();
  });
}

TEST(stack_marks, count_fibers_that_wait) {
  measured({2, weft::migration::free}, [] {
    weft::event go;
    const int line = __LINE__ + 1;
    auto waits = weft::spawn({.name = "waits"}, [&] {
      go_deep();
      go.wait();
    });
    const weft::runtime_dump all = dump_when_waiting("waits", "weft::event::wait");
    go.set();
    waits.join();
    const weft::stack_mark* const mark = mark_of(all, line);
    ASSERT_NE(mark, nullptr) << all.text();
    EXPECT_EQ(mark->fibers, 1u);
    EXPECT_GE(mark->deepest_bytes, deep_bytes);
  });
}

WEFT_TEST(stack_marks, are_not_taken_unless_asked_for) {
  weft::spawn(go_deep).join();
  EXPECT_TRUE(weft::dump().stacks.empty());
}
