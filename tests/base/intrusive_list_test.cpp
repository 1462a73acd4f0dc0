#include "base/intrusive_list.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/intrusive_fifo.h"

namespace {

using weft::detail::intrusive_fifo;
using weft::detail::intrusive_list;
using weft::detail::list_node;

struct item : list_node {
  explicit item(int n) : number(n) {}
  int number;
};

std::vector<int> drain(intrusive_list<item>& list) {
  std::vector<int> numbers;
  while (const item* first = list.pop_front()) numbers.push_back(first->number);
  return numbers;
}

TEST(intrusive_list, keeps_the_order_of_pushes_at_both_ends) {
  item a(1), b(2), c(3);
  intrusive_list<item> list;

  list.push_back(b);
  list.push_back(c);
  list.push_front(a);

  EXPECT_EQ(list.front(), &a);
  EXPECT_EQ(list.back(), &c);
  EXPECT_EQ(drain(list), (std::vector{1, 2, 3}));
  EXPECT_TRUE(list.empty());
}

TEST(intrusive_list, is_empty_at_first_and_says_so) {
  intrusive_list<item> list;

  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(intrusive_list, unlinks_from_anywhere_and_tells_who_is_linked) {
  item a(1), b(2), c(3);
  intrusive_list<item> list;
  for (item* each : {&a, &b, &c}) list.push_back(*each);

  b.unlink();

  EXPECT_FALSE(b.linked());
  EXPECT_TRUE(a.linked());
  list.unlink(a);
  list.push_back(a);
  EXPECT_EQ(drain(list), (std::vector{3, 1}));
  EXPECT_FALSE(a.linked());
}

TEST(intrusive_list, appends_another_list_in_order_and_empties_it) {
  item a(1), b(2), c(3), d(4);
  intrusive_list<item> list, other, none;
  list.push_back(a);
  for (item* each : {&b, &c, &d}) other.push_back(*each);

  list.append(other);
  list.append(none);
  list.append(list);

  EXPECT_TRUE(other.empty());
  EXPECT_EQ(list.back(), &d);
  c.unlink();
  EXPECT_EQ(drain(list), (std::vector{1, 2, 4}));
  c.number = 5;
  list.append(other);
  list.push_back(c);
  EXPECT_EQ(drain(list), std::vector{5});
}

TEST(intrusive_list, can_be_walked) {
  item a(1), b(2);
  intrusive_list<item> list;
  list.push_back(a);
  list.push_back(b);

  int sum = 0;
  for (const item& each : list) sum += each.number;

  EXPECT_EQ(sum, 3);
  drain(list);
}

struct queued {
  int number = 0;
  queued* link = nullptr;
};
using fifo = intrusive_fifo<queued, &queued::link>;

std::vector<int> drain(fifo& queue) {
  std::vector<int> numbers;
  while (const queued* first = queue.pop_front()) numbers.push_back(first->number);
  return numbers;
}

TEST(intrusive_fifo, gives_back_in_the_order_of_pushes) {
  queued a{1}, b{2}, c{3};
  fifo queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.pop_front(), nullptr);

  queue.push_back(b);
  queue.push_back(c);
  queue.push_front(a);

  EXPECT_EQ(queue.front(), &a);
  EXPECT_EQ(drain(queue), (std::vector{1, 2, 3}));
  EXPECT_TRUE(queue.empty());
}

TEST(intrusive_fifo, is_reusable_after_its_last_element_left) {
  queued a{1}, b{2};
  fifo queue;
  queue.push_front(a);
  queue.pop_front();

  queue.push_back(b);
  queue.push_back(a);

  EXPECT_EQ(a.link, nullptr);
  EXPECT_EQ(drain(queue), (std::vector{2, 1}));
}

TEST(intrusive_fifo, appends_chains_and_queues) {
  queued a{1}, b{2}, c{3}, d{4}, stray{9};
  a.link = &b;
  b.link = &stray;
  fifo queue, other, none;
  other.push_back(c);
  other.push_back(d);

  queue.append_chain(a, b);
  queue.append(other);
  queue.append(none);

  EXPECT_TRUE(other.empty());
  EXPECT_EQ(drain(queue), (std::vector{1, 2, 3, 4}));
  other.push_back(a);
  EXPECT_EQ(drain(other), std::vector{1});
}

}  // namespace
