// Fibers and their handles: what goes in, what comes out, and what is refused.
#include "support/with_cores.h"

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string>

using namespace weft_test;

namespace {

// Counts what lives.
struct counted {
  explicit counted(std::atomic<int>& to) : live(&to) { ++*live; }
  counted(const counted& other) : live(other.live) { ++*live; }
  counted(counted&& other) noexcept : live(other.live) { ++*live; }
  ~counted() { --*live; }
  counted& operator=(const counted&) = delete;
  std::atomic<int>* live;
};

struct odd_error {
  int value;
};

template <class Call>
std::system_error error_of(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return std::system_error(std::error_code());
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

int fibonacci(int n) {
  if (n < 2) return n;
  auto left = weft::spawn([n] { return fibonacci(n - 1); });
  const int right = fibonacci(n - 2);
  return left.join() + right;
}

}  // namespace

// --- Results -------------------------------------------------------------------------------------------------------------

WEFT_TEST(fiber, joins_with_the_result) {
  auto answer = weft::spawn([] { return 42; });
  EXPECT_EQ(answer.join(), 42);
  EXPECT_FALSE(answer.joinable());
}

WEFT_TEST(fiber, joins_with_nothing) {
  bool ran = false;
  auto f = weft::spawn([&] { ran = true; });
  static_assert(std::is_void_v<decltype(f.join())>);
  f.join();
  EXPECT_TRUE(ran);
}

WEFT_TEST(fiber, joins_with_a_reference) {
  int place = 0;
  auto f = weft::spawn([&]() -> int& { return place; });
  static_assert(std::is_same_v<decltype(f.join()), int&>);
  EXPECT_EQ(&f.join(), &place);
}

WEFT_TEST(fiber, joins_with_what_can_only_be_moved) {
  auto f = weft::spawn([text = std::make_unique<std::string>("weft")]() mutable { return std::move(text); });
  EXPECT_EQ(*f.join(), "weft");
}

WEFT_TEST(fiber, joins_with_what_has_no_default) {
  std::atomic<int> live{0};
  {
    auto f = weft::spawn([&] { return counted(live); });
    const counted result = f.join();
    EXPECT_EQ(live, 1);
  }
  EXPECT_EQ(live, 0);
}

WEFT_TEST(fiber, rethrows_with_the_type_kept) {
  auto thrower = weft::spawn([]() -> int { throw std::out_of_range("beyond"); });
  try {
    thrower.join();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "beyond");
  }
  auto odd = weft::spawn([] { throw odd_error{7}; });
  try {
    odd.join();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const odd_error& error) {
    EXPECT_EQ(error.value, 7);
  }
  EXPECT_FALSE(odd.joinable());
}

WEFT_TEST(fiber, rethrows_after_it_was_suspended) {
  auto f = weft::spawn([] {
    weft::this_fiber::yield();
    weft::this_fiber::sleep_for(1us);
    throw odd_error{8};
  });
  EXPECT_THROW(f.join(), odd_error);
}

// What the canceller looks at must not pass on to another fiber meanwhile, or that one is cancelled.
WEFT_TEST(fiber, may_be_cancelled_by_others_while_its_owner_joins) {
  for (std::size_t i = 0; i < repeated(2'000, 200); ++i) {
    auto f = weft::spawn([] { weft::this_fiber::yield(); });
    auto canceller = weft::spawn([&f] {
      for (int k = 0; k < 3; ++k) {
        f.cancel();
        weft::this_fiber::yield();
      }
    });
    try {
      f.join();
    } catch (const weft::join_cancelled&) {
    }
    EXPECT_FALSE(f.joinable());
    EXPECT_EQ(f.id(), 0u);
    auto bystander = weft::spawn([] {
      for (int k = 0; k < 3; ++k) weft::this_fiber::yield();
      return 7;
    });
    f.cancel();
    EXPECT_EQ(bystander.join(), 7);
    canceller.join();
  }
}

WEFT_TEST(fiber, gives_its_result_up_with_the_join) {
  struct only_copied {
    explicit only_copied(std::shared_ptr<int> p) : held(std::move(p)) {}
    only_copied(const only_copied&) = default;  // Moved from, it still holds it.
    std::shared_ptr<int> held;
  };
  const auto kept = std::make_shared<int>(1);
  auto f = weft::spawn([kept] { return only_copied(kept); });
  EXPECT_EQ(f.join().held, kept);
  EXPECT_EQ(kept.use_count(), 1);
}

WEFT_TEST(fiber, destroys_a_result_that_nobody_takes) {
  std::atomic<int> live{0};
  {
    auto f = weft::spawn([&] { return counted(live); });
    ASSERT_TRUE(yield_until([&] { return f.done(); }));
    EXPECT_EQ(live, 1);
  }
  // The last of handle and ending fiber destroys it, so it may be the other one.
  EXPECT_TRUE(yield_until([&] { return live == 0; }));
  std::atomic<bool> made{false};
  weft::spawn([&] {
    counted result(live);
    made = true;
    return result;
  }).detach();
  EXPECT_TRUE(yield_until([&] { return made && live == 0; }));
}

WEFT_TEST(fiber, destroys_its_closure_before_the_join) {
  std::atomic<int> live{0};
  auto f = weft::spawn([inside = counted(live)] { return inside.live->load(); });
  EXPECT_GE(f.join(), 1);
  EXPECT_EQ(live, 0);
}

WEFT_TEST(fiber, takes_closures_of_any_size_and_alignment) {
  struct alignas(256) strict {
    char bytes[256];
  };
  std::array<char, 4000> big{};
  big.back() = 'x';
  strict aligned{};
  EXPECT_EQ(weft::spawn([big] { return big.back(); }).join(), 'x');
  EXPECT_EQ(weft::spawn([aligned] { return reinterpret_cast<std::uintptr_t>(&aligned) % 256; }).join(), 0u);
  EXPECT_EQ(weft::spawn({.name = "big"}, [big] { return big.back(); }).join(), 'x');
}

// --- Arguments ---------------------------------------------------------------------------------------------------------

WEFT_TEST(spawn, decays_its_arguments) {
  char text[] = "before";
  const auto four = [](int a, int b, int c, int d) { return a * b * c * d; };
  EXPECT_EQ(weft::spawn(four, 1, 2, 3, 4).join(), 24);
  auto f = weft::spawn([](std::string s, int n) { return s + std::to_string(n); }, text, 5);
  EXPECT_EQ(f.join(), "before5");
  int value = 1;
  auto copying = weft::spawn([](int& mine) { return ++mine; }, std::ref(value));
  EXPECT_EQ(copying.join(), 2);
  EXPECT_EQ(value, 2);
  auto moving = weft::spawn([](std::unique_ptr<int> p) { return *p; }, std::make_unique<int>(9));
  EXPECT_EQ(moving.join(), 9);
}

WEFT_TEST(spawn, calls_members_and_functions) {
  struct adder {
    int base;
    int add(int n) const { return base + n; }
  };
  const adder three{3};
  EXPECT_EQ(weft::spawn(&adder::add, &three, 4).join(), 7);
  EXPECT_EQ(weft::spawn(&fibonacci, 10).join(), 55);
}

WEFT_TEST(spawn, passes_on_what_copying_the_closure_throws) {
  struct unwilling {
    unwilling() = default;
    unwilling(const unwilling&) { throw odd_error{1}; }
    void operator()() const {}
  };
  const unwilling closure;
  EXPECT_THROW(weft::spawn(closure).join(), odd_error);
  EXPECT_THROW(weft::spawn({.name = "named"}, closure).join(), odd_error);
}

WEFT_TEST(spawn, nests_to_any_depth) { EXPECT_EQ(fibonacci(is_instrumented ? 10 : 16), is_instrumented ? 55 : 987); }

WEFT_TEST(spawn, runs_many) {
  std::atomic<std::size_t> sum{0};
  std::vector<weft::fiber<void>> crew;
  const std::size_t count = repeated(20'000, 1'000);
  for (std::size_t i = 0; i < count; ++i) crew.push_back(weft::spawn([&sum, i] { sum += i; }));
  for (auto& each : crew) each.join();
  EXPECT_EQ(sum, count * (count - 1) / 2);
}

WEFT_TEST(spawn, detached_runs_and_is_counted_out) {
  std::atomic<int> ran{0};
  weft::spawn_detached([&] { ++ran; });
  weft::spawn_detached({.name = "named"}, [&] { ++ran; });
  weft::spawn_detached([](std::atomic<int>* to) { ++*to; }, &ran);
  EXPECT_TRUE(yield_until([&] { return ran == 3; }));
}

// --- Handles -------------------------------------------------------------------------------------------------------------

WEFT_TEST(handle, refuses_a_second_join) {
  auto f = weft::spawn([] { return 1; });
  f.join();
  const std::system_error error = error_of([&] { f.join(); });
  EXPECT_EQ(error.code(), std::errc::invalid_argument);
  EXPECT_TRUE(says(error.what(), "fiber::join")) << error.what();
}

WEFT_TEST(handle, without_a_fiber_knows_nothing) {
  weft::fiber<int> none;
  EXPECT_FALSE(none.joinable());
  EXPECT_FALSE(none.done());
  EXPECT_FALSE(none.cancelled());
  EXPECT_EQ(none.id(), 0u);
  EXPECT_EQ(none.name(), "");
  none.cancel();
  none.detach();
  EXPECT_EQ(error_of([&] { none.join(); }).code(), std::errc::invalid_argument);
  EXPECT_EQ(error_of([&] { none.join(1ms); }).code(), std::errc::invalid_argument);
}

WEFT_TEST(handle, refuses_to_join_itself) {
  weft::fiber<void> self;
  std::atomic<bool> is_set{false};
  self = weft::spawn({.name = "narcissus"}, [&] {
    ASSERT_TRUE(yield_until([&] { return is_set.load(); }));
    const std::system_error error = error_of([&] { self.join(); });
    EXPECT_EQ(error.code(), std::errc::resource_deadlock_would_occur);
    EXPECT_TRUE(says(error.what(), "narcissus")) << error.what();
    EXPECT_EQ(error_of([&] { self.join(1ms); }).code(), std::errc::resource_deadlock_would_occur);
  });
  is_set = true;
  ASSERT_TRUE(yield_until([&] { return self.done(); }));
  self.join();
}

WEFT_TEST(handle, joins_with_a_deadline) {
  std::atomic<bool> go{false};
  auto f = weft::spawn([&] {
    yield_until([&] { return go.load(); });
    return 3;
  });
  EXPECT_EQ(f.join(1ms), std::nullopt);
  EXPECT_EQ(f.join(0ms), std::nullopt);
  EXPECT_EQ(f.join(-1h), std::nullopt);
  EXPECT_TRUE(f.joinable());
  go = true;
  EXPECT_EQ(f.join(long_enough), 3);
  auto nothing = weft::spawn([] {});
  EXPECT_TRUE(nothing.join(long_enough));
  EXPECT_FALSE(nothing.joinable());
}

WEFT_TEST(handle, tells_name_and_id) {
  std::string inside;
  std::uint64_t id = 0;
  auto f = weft::spawn({.name = std::string("temp") + "orary"}, [&] {
    inside = weft::this_fiber::name();
    weft::this_fiber::yield();
    id = weft::this_fiber::id();
  });
  ASSERT_TRUE(yield_until([&] { return f.done(); }));
  EXPECT_EQ(f.name(), "temporary");
  EXPECT_EQ(inside, "temporary");
  EXPECT_EQ(f.id(), id);
  EXPECT_FALSE(f.cancelled());
  f.join();
  EXPECT_EQ(weft::this_fiber::name(), "main");
}

WEFT_TEST(handle, ids_are_never_given_twice) {
  std::vector<weft::fiber<std::uint64_t>> crew;
  for (int i = 0; i < 500; ++i) {
    crew.push_back(weft::spawn([] { return weft::spawn([] { return weft::this_fiber::id(); }).join(); }));
  }
  std::set<std::uint64_t> seen{weft::this_fiber::id(), 0};
  for (auto& each : crew) {
    EXPECT_TRUE(seen.insert(each.id()).second);
    EXPECT_TRUE(seen.insert(each.join()).second);
  }
}

WEFT_TEST(handle, moves) {
  auto first = weft::spawn([] { return 5; });
  weft::fiber<int> second = std::move(first);
  EXPECT_FALSE(first.joinable());
  first = std::move(second);
  EXPECT_EQ(first.join(), 5);
}

WEFT_TEST(handle, cancels_and_joins_what_it_drops) {
  std::atomic<int> live{0};
  {
    auto f = weft::spawn([&] {
      const counted inside(live);
      weft::this_fiber::sleep_for(std::chrono::hours::max());
    });
    yield_until([&] { return live == 1; });
    f = weft::spawn([] {});
    EXPECT_EQ(live, 0);
  }
  auto f = weft::spawn([&] {
    const counted inside(live);
    weft::this_fiber::sleep_for(1h);
  });
  yield_until([&] { return live == 1; });
  f = {};
  EXPECT_EQ(live, 0);
}

WEFT_TEST(handle, is_joined_by_another_fiber) {
  auto inner = weft::spawn([] {
    weft::this_fiber::yield();
    return 6;
  });
  auto outer = weft::spawn([f = std::move(inner)]() mutable { return f.join() + 1; });
  EXPECT_EQ(outer.join(), 7);
}
