#include "context/sanitizer.h"

#include <cstdlib>
#include <stdexcept>

#include "context/stack_support.h"
#include "context/switch.h"

namespace weft::detail {
namespace {

#if !defined(WEFT_ASAN) && !defined(WEFT_TSAN) && !defined(WEFT_VALGRIND)
static_assert(std::is_empty_v<sanitizer_identity>);
#endif

// A stack that runs `work` between two switches to the thread that resumed it.
struct flow {
  explicit flow(stack_pool& pool) : pool_(pool), stack_(pool.take(default_stack_class)) {
    create_identity(identity_, stack_->low, stack_->usable_bytes());
    adopt_thread(thread_);
  }
  ~flow() {
    destroy_identity(identity_);
    pool_.give(stack_);
  }

  WEFT_NOINLINE WEFT_SWITCHES void resume() {
    before_switch(thread_, identity_, false);
    arrival const back =
        started_ ? switch_to(context_, this) : start(stack_->top, stack_->usable_bytes(), &flow::enter, this);
    started_ = true;
    context_ = back.from;
    after_switch(thread_);
  }

  WEFT_NOINLINE WEFT_SWITCHES void suspend() {
    before_switch(identity_, thread_, false);
    context_ = switch_to(context_, this).from;
    after_switch(identity_);
  }

  int steps = 0;

 private:
  WEFT_SWITCHES static void enter(transfer in) {
    arrival const from = arrived(in);
    auto* const self = static_cast<flow*>(from.message);
    after_switch(self->identity_);
    self->context_ = from.from;
    self->work();
    before_switch(self->identity_, self->thread_, true);
    exit_to(self->context_, self);
  }

  WEFT_NOINLINE void work() {
    volatile char buffer[512];
    for (std::size_t i = 0; i < sizeof buffer; ++i) buffer[i] = static_cast<char>(i);
    ++steps;
    suspend();
    try {
      throw std::runtime_error("unwound on its own stack");
    } catch (std::exception const&) {
      steps += buffer[7];
    }
  }

  stack_pool& pool_;
  stack_head* stack_;
  sanitizer_identity identity_;
  sanitizer_identity thread_;
  saved_context context_ = nullptr;
  bool started_ = false;
};

// AddressSanitizer goes on where it does not know a stack that an exception unwinds, but says so.
TEST(sanitizer, follows_stacks_that_are_left_and_used_again) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  testing::internal::CaptureStderr();
  for (int round = 0; round < 200; ++round) {
    flow first(pool);
    flow second(pool);
    first.resume();
    second.resume();
    first.resume();
    second.resume();

    EXPECT_EQ(first.steps, 8);
    EXPECT_EQ(second.steps, 8);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(sanitizer, identities_come_and_go_in_any_number) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  for (int round = 0; round < 20'000; ++round) {
    stack_head* const stack = pool.take(default_stack_class);
    sanitizer_identity identity;
    create_identity(identity, stack->low, stack->usable_bytes());
    name_identity(identity, "one of many");
    destroy_identity(identity);
    pool.give(stack);
  }
  EXPECT_EQ(arenas.statistics().in_use, 0u);
}

#ifdef WEFT_TSAN
TEST(sanitizer, stops_with_a_message_at_the_limit_of_thread_sanitizer) {
  auto const fill = [] {
    ::setenv("WEFT_TSAN_FIBER_LIMIT", "20", 1);
    static sanitizer_identity identities[21];
    for (sanitizer_identity& each : identities) create_identity(each, nullptr, 0);
  };
  EXPECT_DEATH(fill(), "cannot follow more than 20 started fibers.*WEFT_TSAN_FIBER_LIMIT");
}
#endif

}  // namespace
}  // namespace weft::detail
