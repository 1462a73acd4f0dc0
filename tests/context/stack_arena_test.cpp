#include "context/stack_arena.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <system_error>

#include "context/stack_support.h"

namespace weft::detail {
namespace {

TEST(stack_class, is_the_smallest_that_fits) {
  static_assert(stack_class_for(min_stack_bytes) == 0);
  static_assert(stack_class_for(min_stack_bytes + 1) == default_stack_class);
  static_assert(stack_class_for(default_stack_bytes) == default_stack_class);
  static_assert(stack_class_for((std::size_t{256} << 10) + 1) == 3);
  static_assert(stack_class_for(max_stack_bytes) == 4);
}

TEST(stack_class, has_a_floor_and_a_ceiling) {
  static_assert(stack_class_for(0) == -1);
  static_assert(stack_class_for(min_stack_bytes - 1) == -1);
  static_assert(stack_class_for(max_stack_bytes + 1) == -1);
}

TEST(stack_arena_set, refuses_a_head_that_does_not_fit) {
  EXPECT_THROW(stack_arena_set({max_stack_head_bytes + 64, make_test_head}), std::system_error);
  EXPECT_THROW(stack_arena_set({100, make_test_head}), std::system_error);
  EXPECT_THROW(stack_arena_set({128, nullptr}), std::system_error);
}

TEST(stack_arena_set, places_every_class_within_its_bounds) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);
  for (std::uint8_t c = 0; c < stack_class_count; ++c) {
    stack_head* const stack = stacks.take(c);
    ASSERT_NE(stack, nullptr);

    EXPECT_EQ(stack->size_class, c);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(stack->top) % 64, 0u);
    EXPECT_EQ(static_cast<void*>(stack->top), static_cast<void*>(stack));
    EXPECT_LE(stack->usable_bytes(), stack_class_bytes[c]);
    EXPECT_GT(stack->usable_bytes() + page_size(), stack_class_bytes[c]);
    std::memset(stack->low, 1, stack->usable_bytes());
  }
}

TEST(stack_arena_set, index_leads_back_to_the_stack) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);
  std::set<std::uint32_t> indices;
  for (std::uint8_t c = 0; c < stack_class_count; ++c) stacks.take_many(c == 4 ? 300 : 1000, c);

  for (stack_head* stack : stacks.stacks) {
    EXPECT_TRUE(indices.insert(stack->index).second);
    EXPECT_EQ(arenas.at(stack->index), stack);
    EXPECT_EQ(arenas.find(stack->low), stack->index);
    EXPECT_EQ(arenas.find(stack->low - 1), stack->index);  // Its guard.
    EXPECT_EQ(arenas.find(stack->top), stack->index);
  }
  EXPECT_EQ(arenas.find(&arenas), no_stack);
}

TEST(stack_arena_set, guards_lie_below_every_stack) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  for (guard_kind const kind : {guard_kind::madvise, guard_kind::mprotect}) {
    if (kind == guard_kind::madvise && best_guard_kind() != kind) continue;
    stack_arena_set arenas(test_head_type, {.guards = kind});
    stack_pool pool(arenas);
    taken stacks(pool);
    for (std::uint8_t c = 0; c < stack_class_count; ++c) stacks.take_many(40, c);

    for (stack_head const* stack : stacks.stacks) {
      EXPECT_EQ(::write(ends[1], stack->low - 1, 1), -1);
      EXPECT_EQ(::write(ends[1], stack->low - stack_guard_bytes, 1), -1);
      EXPECT_EQ(::write(ends[1], stack->low, 1), 1);
    }
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(stack_arena_set, overflow_is_death) {
  for (guard_kind const kind : {guard_kind::madvise, guard_kind::mprotect}) {
    if (kind == guard_kind::madvise && best_guard_kind() != kind) continue;
    stack_arena_set arenas(test_head_type, {.guards = kind});
    stack_pool pool(arenas);
    taken stacks(pool);
    stack_head* const stack = stacks.take();

    EXPECT_DEATH(*const_cast<volatile std::byte*>(stack->low - 60 * 1024) = std::byte{1}, "");
  }
}

TEST(stack_arena_set, many_stacks_add_few_mappings) {
  if (best_guard_kind() != guard_kind::madvise) GTEST_SKIP() << "this kernel has no MADV_GUARD_INSTALL";
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);
  std::size_t const before = mappings();

  stacks.take_many(20'000);

  EXPECT_LT(mappings(), before + 60);
  EXPECT_GE(arenas.statistics().guards, 20'000u);
}

TEST(stack_arena_set, colours_the_tops_within_the_top_page) {
  stack_arena_set arenas({max_stack_head_bytes, make_test_head});
  stack_pool pool(arenas);
  taken stacks(pool);
  stacks.take_many(stack_colours);
  std::set<std::size_t> colours;
  for (stack_head const* stack : stacks.stacks) {
    std::size_t const in_page = reinterpret_cast<std::uintptr_t>(stack->top) % 4096;
    colours.insert(in_page);

    EXPECT_GE(in_page, 2048u);
    EXPECT_EQ((reinterpret_cast<std::uintptr_t>(stack) + max_stack_head_bytes - 1) / 4096,
              reinterpret_cast<std::uintptr_t>(stack) / 4096);
  }
  EXPECT_EQ(colours.size(), stack_colours);
}

TEST(stack_arena_set, stops_at_max_stacks_and_says_so) {
  stack_arena_set arenas(test_head_type, {.max_stacks = 100});
  stack_pool pool(arenas);
  taken stacks(pool);
  EXPECT_EQ(arenas.last_error(), "");
  stacks.take_many(60);
  stacks.take_many(40, 0);

  EXPECT_EQ(pool.take(default_stack_class), nullptr);

  EXPECT_NE(arenas.last_error().find("max_stacks = 100"), std::string::npos) << arenas.last_error();
  EXPECT_EQ(arenas.last_error_number(), ENOMEM);
  EXPECT_EQ(arenas.statistics().in_use, 100u);
  stacks.give_all();
  EXPECT_NE(stacks.take(), nullptr);
}

TEST(stack_arena_set, mprotect_guards_leave_mappings_to_the_process) {
  weft_test::replaced_system_calls const limited([](system_calls& table) {
    table.open = [](const char* path, int, mode_t) noexcept {
      return std::strcmp(path, "/proc/sys/vm/max_map_count") == 0 ? 1'000'000 : -ENOENT;
    };
    table.read = [](int, void* data, std::size_t) noexcept -> ssize_t {
      std::memcpy(data, "4096\n", 5);
      return 5;
    };
    table.close = [](int) noexcept { return 0; };
  });
  stack_arena_set arenas(test_head_type, {.guards = guard_kind::mprotect});
  stack_arena_set others(test_head_type, {.guards = guard_kind::mprotect});
  stack_pool pool(arenas);
  stack_pool other_pool(others);
  taken stacks(pool);
  taken other_stacks(other_pool);
  other_stacks.take_many(64);
  while (stacks.take() != nullptr) {
  }

  EXPECT_EQ(stacks.stacks.size() + 64, (4096u - 256) / 2);
  EXPECT_NE(arenas.last_error().find("vm.max_map_count = 4096"), std::string::npos) << arenas.last_error();
  EXPECT_EQ(arenas.last_error_number(), ENOMEM);
}

TEST(stack_arena_set, works_on_after_a_refused_guard) {
  static int allowed;
  allowed = 40;
  weft_test::replaced_system_calls const failing([](system_calls& table) {
    table.mprotect = [](void* low, std::size_t bytes, int protection) noexcept {
      return --allowed < 0 ? -ENOMEM : real_system_calls().mprotect(low, bytes, protection);
    };
  });
  stack_arena_set arenas(test_head_type, {.guards = guard_kind::mprotect});
  stack_pool pool(arenas);
  taken stacks(pool);
  stacks.take_many(40);

  EXPECT_EQ(stacks.take(), nullptr);
  EXPECT_NE(arenas.last_error().find("vm.max_map_count"), std::string::npos) << arenas.last_error();
  std::size_t const reserved = arenas.statistics().reserved_bytes;
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(stacks.take(), nullptr);
  EXPECT_EQ(arenas.statistics().reserved_bytes, reserved);  // What was refused is tried again, not lost.
  allowed = 1000;
  stacks.take_many(100);

  EXPECT_EQ(arenas.statistics().in_use, 140u);
  EXPECT_GE(arenas.statistics().guards, 140u);
  std::set<std::uint32_t> indices;
  for (stack_head const* stack : stacks.stacks) indices.insert(stack->index);
  EXPECT_EQ(indices.size(), 140u);
}

TEST(stack_arena_set, tells_what_stands_in_the_way_of_address_space) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);
  {
    weft_test::replaced_system_calls const full([](system_calls& table) {
      table.mmap = [](void*, std::size_t, int, int, int, off_t) noexcept -> std::intptr_t { return -ENOMEM; };
    });
    EXPECT_EQ(stacks.take(), nullptr);
  }
  std::string const text = arenas.last_error();
  EXPECT_NE(text.find("mmap"), std::string::npos) << text;
  EXPECT_NE(text.find("RLIMIT_AS"), std::string::npos) << text;
  EXPECT_NE(text.find("vm.overcommit_memory"), std::string::npos) << text;
  EXPECT_EQ(arenas.last_error_number(), ENOMEM);
  EXPECT_NE(stacks.take(), nullptr);
}

TEST(stack_arena_set, makes_do_with_smaller_chunks) {
  weft_test::replaced_system_calls const tight([](system_calls& table) {
    table.mmap = [](void* hint, std::size_t bytes, int protection, int flags, int fd,
                    off_t offset) noexcept -> std::intptr_t {
      if (bytes > std::size_t{40} << 20) return -ENOMEM;
      return real_system_calls().mmap(hint, bytes, protection, flags, fd, offset);
    };
  });
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);

  stacks.take_many(2000);

  std::set<std::byte*> lows;
  for (stack_head* stack : stacks.stacks) {
    EXPECT_TRUE(lows.insert(stack->low).second);
    EXPECT_EQ(arenas.at(stack->index), stack);
    EXPECT_EQ(arenas.find(stack->low), stack->index);
  }
}

TEST(stack_arena_set, trimming_gives_memory_back) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);
  stacks.take_many(1000);
  for (stack_head* stack : stacks.stacks) std::memset(stack->low, 1, stack->usable_bytes());
  std::size_t const full = resident_bytes();
  stacks.give_all();
  pool.flush();
  EXPECT_EQ(arenas.statistics().depot, 1000u);

  std::size_t const trimmed = arenas.trim(100);

  EXPECT_GE(trimmed, 900u);
  EXPECT_LE(arenas.statistics().depot, 100u);
  EXPECT_EQ(arenas.statistics().trimmed, trimmed);
  EXPECT_EQ(arenas.statistics().in_use, 0u);
  EXPECT_LT(resident_bytes() + 850 * default_stack_bytes, full);
}

TEST(stack_arena_set, trimmed_stacks_come_back_guarded_with_a_later_epoch) {
  stack_arena_set arenas(test_head_type);
  stack_pool pool(arenas);
  taken stacks(pool);
  stacks.take_many(64);
  std::uint64_t const before = static_cast<test_head*>(stacks.stacks[0])->first_epoch;
  EXPECT_GT(before, 0u);
  std::size_t const guards = arenas.statistics().guards;
  stacks.give_all();
  pool.flush();
  ASSERT_EQ(arenas.trim(0), 64u);

  stacks.take_many(64);

  for (stack_head* stack : stacks.stacks) {
    EXPECT_GE(static_cast<test_head*>(stack)->first_epoch, before + (std::uint64_t{1} << 32));
    EXPECT_EQ(arenas.at(stack->index), stack);
  }
  EXPECT_EQ(arenas.statistics().guards, guards);
}

TEST(stack_arena_set, first_epoch_is_above_every_epoch_used) {
  stack_arena_set arenas({sizeof(test_head), make_test_head, last_test_epoch});
  stack_pool pool(arenas);
  taken stacks(pool);
  auto* const busy = static_cast<test_head*>(stacks.take());
  std::uint64_t const used = busy->epoch += std::uint64_t{5} << 40;
  stacks.give_all();
  pool.flush();
  ASSERT_EQ(arenas.trim(0), 1u);

  EXPECT_EQ(static_cast<test_head*>(stacks.take())->first_epoch, used + 1);
}

TEST(stack_arena_set, leaves_no_mapping_behind) {
  std::size_t const before = mappings();
  for (int i = 0; i < 20; ++i) {
    stack_arena_set arenas(test_head_type, {.guards = guard_kind::mprotect});
    stack_pool pool(arenas);
    taken stacks(pool);
    for (std::uint8_t c = 0; c < stack_class_count; ++c) stacks.take_many(40, c);
  }

  EXPECT_LT(mappings(), before + 10);
}

}  // namespace
}  // namespace weft::detail
