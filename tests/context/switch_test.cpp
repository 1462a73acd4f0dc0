// The three verbs of either backend, on bare memory.
#include "context/switch.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

using namespace weft::detail;

// ThreadSanitizer and AddressSanitizer would have to be told of each switch; sanitizer_test.cpp does.
#if defined(WEFT_TSAN) || defined(WEFT_ASAN)
#define SWITCH_TEST(name) TEST(switch_to, DISABLED_##name)
#else
#define SWITCH_TEST(name) TEST(switch_to, name)
#endif

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;

struct alignas(64) bare_stack {
  std::array<std::byte, stack_bytes> memory;
  std::byte* top() noexcept { return memory.data() + stack_bytes; }
};

// A second stack, and what its body does; the body gets this and returns to the test with go_back().
class other_side {
 public:
  using body_function = void (*)(other_side& me);

  explicit other_side(body_function body) : body_(body) {}

  // Test: runs the body until it goes back.
  std::uintptr_t go() {
    const arrival in =
        started_ ? switch_to(context_, this) : (started_ = true, start(stack_->top(), stack_bytes, &enter, this));
    context_ = in.from;
    return reinterpret_cast<std::uintptr_t>(in.message);
  }

  // Body.
  void go_back(std::uintptr_t word = 0) { caller_ = switch_to(caller_, reinterpret_cast<void*>(word)).from; }

  bool is_over = false;

 private:
  static void enter(transfer in) {
    const arrival came = arrived(in);
    auto& me = *static_cast<other_side*>(came.message);
    me.caller_ = came.from;
    me.body_(me);
    me.is_over = true;
    exit_to(me.caller_, nullptr);
  }

  std::unique_ptr<bare_stack> stack_ = std::make_unique<bare_stack>();
  body_function body_;
  saved_context context_{};
  saved_context caller_{};
  bool started_ = false;
};

}  // namespace

SWITCH_TEST(carries_a_word_each_way) {
  other_side other([](other_side& me) {
    me.go_back(1);
    me.go_back(2);
  });
  EXPECT_EQ(other.go(), 1u);
  EXPECT_EQ(other.go(), 2u);
  EXPECT_FALSE(other.is_over);
  other.go();
  EXPECT_TRUE(other.is_over);
}

SWITCH_TEST(keeps_what_is_alive_on_both_sides) {
  other_side other([](other_side& me) {
    std::array<std::uint64_t, 24> whole{};
    std::array<double, 24> real{};
    for (std::size_t round = 0; round < 50; ++round) {
      for (std::size_t i = 0; i < whole.size(); ++i) {
        whole[i] = whole[i] * 3 + i + round;
        real[i] = real[i] * 0.5 + static_cast<double>(i);
      }
      std::uint64_t sum = 0;
      for (const std::uint64_t each : whole) sum += each;
      me.go_back(sum + static_cast<std::uint64_t>(real[5]));
    }
  });
  std::array<std::uint64_t, 24> whole{};
  std::array<double, 24> real{};
  for (std::size_t round = 0; round < 50; ++round) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      whole[i] = whole[i] * 3 + i + round;
      real[i] = real[i] * 0.5 + static_cast<double>(i);
    }
    std::uint64_t sum = 0;
    for (const std::uint64_t each : whole) sum += each;
    EXPECT_EQ(other.go(), sum + static_cast<std::uint64_t>(real[5])) << round;
  }
}

SWITCH_TEST(enters_with_an_aligned_stack) {
  other_side other([](other_side& me) {
    alignas(64) std::array<char, 64> strict{};
    std::memset(strict.data(), 1, strict.size());
    const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    me.go_back(frame % 16 == 0 && reinterpret_cast<std::uintptr_t>(strict.data()) % 64 == 0);
  });
  EXPECT_EQ(other.go(), 1u);
}

SWITCH_TEST(lets_exceptions_pass_within_a_stack) {
  other_side other([](other_side& me) {
    for (int i = 0; i < 3; ++i) {
      try {
        me.go_back(1);
        throw std::runtime_error("on the other stack");
      } catch (const std::runtime_error& error) {
        me.go_back(std::string(error.what()).size());
      }
    }
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(other.go(), 1u);
    try {
      EXPECT_EQ(other.go(), 18u);
      throw i;
    } catch (int caught) {
      EXPECT_EQ(caught, i);
    }
  }
}

SWITCH_TEST(reaches_a_stack_from_another_one) {
  struct chain {
    std::unique_ptr<bare_stack> stack = std::make_unique<bare_stack>();
    saved_context back{};
    int entered = 0;
  } first, second;
  static chain* chains[2];
  chains[0] = &first;
  chains[1] = &second;
  const auto enter_second = [](transfer in) {
    const arrival came = arrived(in);
    chains[1]->entered = 1;
    exit_to(static_cast<saved_context>(chains[0]->back), came.message);
  };
  static const context_entry second_entry = enter_second;
  const auto enter_first = [](transfer in) {
    const arrival came = arrived(in);
    chains[0]->back = came.from;
    chains[0]->entered = 1;
    exit_to_start(chains[1]->stack->top(), stack_bytes, second_entry, came.message);
  };
  int word = 0;
  const arrival in = start(first.stack->top(), stack_bytes, enter_first, &word);
  EXPECT_EQ(in.message, &word);
  EXPECT_EQ(first.entered + second.entered, 2);
}
