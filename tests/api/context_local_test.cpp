// context_local: what children inherit, what stays apart, and what set() can take back.
#include "support/counted.h"
#include "support/with_cores.h"

#include <weft/context_local.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

using namespace weft_test;

namespace {

const weft::context_local<std::string> user{"user", "nobody"};
const weft::context_local<int> depth{"depth"};

}  // namespace

WEFT_TEST(context_local, begins_with_its_initial_value_or_none) {
  EXPECT_EQ(user.get(), "nobody");
  EXPECT_EQ(depth.find(), nullptr);
  try {
    depth.get();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::out_of_range& error) {
    EXPECT_NE(std::string(error.what()).find("\"depth\""), std::string::npos);
  }
  EXPECT_STREQ(depth.name(), "depth");
}

WEFT_TEST(context_local, children_inherit_what_is_set_when_they_are_spawned) {
  user.set("ada");
  auto child = weft::spawn([] {
    EXPECT_EQ(user.get(), "ada");
    weft::this_fiber::yield();
    auto grandchild = weft::spawn([] { return user.get(); });
    return grandchild.join();
  });
  user.set("bob");
  EXPECT_EQ(child.join(), "ada");
  EXPECT_EQ(user.get(), "bob");
}

WEFT_TEST(context_local, what_a_child_sets_stays_there) {
  depth.set(1);
  weft::spawn([] {
    depth.set(2);
    user.set("eve");
    EXPECT_EQ(depth.get(), 2);
  }).join();
  EXPECT_EQ(depth.get(), 1);
  EXPECT_EQ(user.get(), "nobody");
}

WEFT_TEST(context_local, reaches_fibers_with_attributes_and_detached_ones) {
  std::atomic<int> seen{0};
  depth.set(4);
  weft::spawn({.name = "named"}, [&] { seen += depth.get(); }).join();
  weft::spawn({.core = 0}, [&] { seen += depth.get(); }).join();
  weft::spawn_detached([&] { seen += depth.get(); });
  EXPECT_TRUE(yield_until([&] { return seen == 12; }));
}

WEFT_TEST(context_local, a_token_puts_back_what_was_there_once) {
  auto outer = depth.set(1);
  auto inner = depth.set(2);
  depth.reset(std::move(inner));
  EXPECT_EQ(depth.get(), 1);
  EXPECT_THROW(depth.reset(std::move(inner)), std::invalid_argument);
  const weft::context_local<int> other{"other"};
  EXPECT_THROW(other.reset(std::move(outer)), std::invalid_argument);
  depth.reset(std::move(outer));
  EXPECT_EQ(depth.find(), nullptr);
}

WEFT_TEST(context_local, a_binding_lasts_for_its_scope) {
  {
    const auto bound = user.bind("ada");
    EXPECT_EQ(user.get(), "ada");
    {
      const auto again = user.bind("bob");
      depth.set(9);
      EXPECT_EQ(weft::spawn([] { return user.get(); }).join(), "bob");
    }
    EXPECT_EQ(user.get(), "ada");
    EXPECT_EQ(depth.get(), 9);
  }
  EXPECT_EQ(user.get(), "nobody");
}

WEFT_TEST(context_local, a_binding_ends_while_an_error_passes_and_while_children_still_hold_it) {
  std::atomic<bool> go{false};
  weft::fiber<std::string> child;
  try {
    const auto bound = user.bind("ada");
    child = weft::spawn([&] {
      while (!go) weft::this_fiber::yield();
      return user.get();
    });
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(user.get(), "nobody");
  go = true;
  EXPECT_EQ(child.join(), "ada");
}

WEFT_TEST(context_local, setting_in_a_loop_does_not_grow) {
  static std::atomic<int> live;  // The last value outlives this function: it goes at the end of its fiber.
  live = 0;
  const weft::context_local<counted> v{"v"};
  for (int i = 0; i < 100; ++i) {
    v.set(counted(live, i));
    EXPECT_EQ(live, 1);
  }
  auto child = weft::spawn([&] {
    for (int i = 0; i < 100; ++i) v.set(counted(live, i));
    EXPECT_EQ(live, 2);
  });
  child.join();
  EXPECT_EQ(live, 1);
  EXPECT_EQ(v.get().value, 99);
}

WEFT_TEST(context_local, values_go_with_the_last_fiber_that_holds_them) {
  std::atomic<int> live{0};
  const weft::context_local<counted> v{"v"};
  std::atomic<bool> go{false};
  std::vector<weft::fiber<void>> children;
  {
    const auto bound = v.bind(counted(live));
    for (int i = 0; i < 20; ++i) {
      children.push_back(weft::spawn([&] {
        while (!go) weft::this_fiber::yield();
        EXPECT_EQ(v.get().live, &live);
      }));
    }
    weft::spawn([] {}).cancel();
  }
  EXPECT_EQ(live, 1);
  go = true;
  for (auto& each : children) each.join();
  EXPECT_EQ(live, 0);
}

WEFT_TEST(context_local, there_may_be_many) {
  std::vector<std::unique_ptr<weft::context_local<std::size_t>>> many;
  for (int i = 0; i < 60; ++i) many.push_back(std::make_unique<weft::context_local<std::size_t>>("one of many"));
  for (std::size_t i = 60; i-- > 0;) many[i]->set(i);
  weft::spawn([&] {
    for (std::size_t i = 0; i < 60; i += 2) many[i]->set(i + 100);
    for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(many[i]->get(), i % 2 == 0 ? i + 100 : i);
  }).join();
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(many[i]->get(), i);
}

WEFT_TEST(context, is_a_copy_that_others_can_run_in) {
  depth.set(1);
  weft::context then = weft::context::current();
  depth.set(2);
  EXPECT_EQ(then.run([] { return depth.get(); }), 1);
  then.run([] {
    depth.set(5);
    user.set("ada");
  });
  EXPECT_EQ(depth.get(), 2);
  EXPECT_EQ(user.get(), "nobody");
  weft::spawn([&] {
    depth.set(7);
    EXPECT_EQ(then.run([](int more) { return depth.get() + more; }, 1), 6);
    EXPECT_THROW(then.run([] { throw 1; }), int);
    EXPECT_EQ(depth.get(), 7);
  }).join();
  weft::context none;
  EXPECT_EQ(none.run([] { return depth.find(); }), nullptr);
}

WEFT_TEST(context, is_not_run_within_itself) {
  depth.set(1);
  weft::context outer = weft::context::current();
  depth.set(2);
  outer.run([&] { EXPECT_THROW(outer.run([] {}), std::logic_error); });
  EXPECT_EQ(depth.get(), 2);
  EXPECT_EQ(outer.run([] { return depth.get(); }), 1);
}

WEFT_TEST(context, serves_callbacks_which_have_none_of_their_own) {
  user.set("ada");
  weft::promise<void> p;
  auto f = p.get_future();
  std::string inside, plain;
  f.on_done([&, mine = weft::context::current()]() mutable { inside = mine.run([] { return user.get(); }); });
  f.on_done([&] { plain = user.get(); });
  weft::spawn([&] {
    user.set("bob");
    p.set_value();
  }).join();
  EXPECT_EQ(inside, "ada");
  EXPECT_EQ(plain, "bob");
}

TEST(context_local, a_plain_thread_hands_its_own_on) {
  std::thread([] {
    EXPECT_EQ(user.get(), "nobody");
    const auto bound = user.bind("thread");
    EXPECT_EQ(weft::run([] { return user.get(); }), "thread");
    weft::runtime here(setting{1}.options());
    EXPECT_EQ(here.spawn([] { return user.get(); }).join(), "thread");
  }).join();
  std::thread([] { EXPECT_EQ(user.get(), "nobody"); }).join();
}
