#include "io/part_batch.h"

#include <gtest/gtest.h>

#include <climits>
#include <random>
#include <string>
#include <vector>

namespace weft::detail {
namespace {

using parts = std::vector<std::span<const std::byte>>;

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string text_of(const part_batch& batch, std::size_t limit) {
  std::string out;
  for (int i = 0; i < batch.count; ++i) {
    const iovec& part = batch.parts[static_cast<std::size_t>(i)];
    out.append(static_cast<const char*>(part.iov_base), part.iov_len);
  }
  return out.substr(0, limit);
}

TEST(part_cursor, is_at_the_end_of_nothing_but_empty_buffers) {
  EXPECT_TRUE(part_cursor<const std::byte>(parts{}).at_end());
  EXPECT_TRUE(part_cursor<const std::byte>(parts{{}, {}, {}}).at_end());
}

TEST(part_cursor, leaves_empty_buffers_out_of_a_batch) {
  const std::string a = "ab", b = "c";
  const parts list{{}, bytes(a), {}, {}, bytes(b), {}};
  part_batch batch;
  part_cursor<const std::byte> cursor(list);
  cursor.fill(batch);
  EXPECT_EQ(batch.count, 2);
  EXPECT_EQ(batch.bytes, 3u);
  cursor.advance(3);
  EXPECT_TRUE(cursor.at_end());
}

TEST(part_cursor, goes_on_in_the_middle_of_a_buffer) {
  const std::string a = "abc", b = "defg";
  const parts list{bytes(a), bytes(b)};
  part_batch batch;
  part_cursor<const std::byte> cursor(list);
  cursor.advance(4);
  cursor.fill(batch);
  EXPECT_EQ(text_of(batch, 99), "efg");
  cursor.advance(1);
  cursor.fill(batch);
  EXPECT_EQ(text_of(batch, 99), "fg");
}

TEST(part_cursor, splits_what_no_kernel_takes_at_once) {
  // Nothing is touched: only addresses and sizes are computed.
  const std::span<const std::byte> huge(static_cast<const std::byte*>(nullptr), std::size_t{3} << 30);
  const parts list{huge, huge};
  part_batch batch;
  part_cursor<const std::byte> cursor(list);
  std::size_t total = 0;
  for (; !cursor.at_end(); cursor.advance(batch.bytes)) {
    cursor.fill(batch);
    ASSERT_LE(batch.bytes, largest_attempt);
    ASSERT_GT(batch.bytes, 0u);
    total += batch.bytes;
  }
  EXPECT_EQ(total, std::size_t{6} << 30);
}

TEST(write_every_part, writes_more_parts_than_the_system_takes_at_once) {
  std::vector<std::string> texts;
  std::string expected;
  for (int i = 0; i < 3 * IOV_MAX; ++i) expected += texts.emplace_back(std::to_string(i));
  parts list;
  for (const std::string& text : texts) list.push_back(bytes(text));
  std::string seen;
  const transferred done = write_every_part(list, [&](part_batch& batch) -> std::ptrdiff_t {
    seen += text_of(batch, batch.bytes);
    return static_cast<std::ptrdiff_t>(batch.bytes);
  });
  EXPECT_EQ(done.error, 0);
  EXPECT_EQ(done.count, expected.size());
  EXPECT_EQ(seen, expected);
}

TEST(write_every_part, keeps_the_order_whatever_the_counts) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  std::vector<std::string> texts;
  std::string expected;
  for (int i = 0; i < 500; ++i) expected += texts.emplace_back(random() % 40, static_cast<char>('a' + i % 26));
  parts list;
  for (const std::string& text : texts) list.push_back(bytes(text));
  std::string seen;
  const transferred done = write_every_part(list, [&](part_batch& batch) -> std::ptrdiff_t {
    const std::size_t moved = 1 + random() % batch.bytes;
    seen += text_of(batch, moved);
    return static_cast<std::ptrdiff_t>(moved);
  });
  EXPECT_EQ(done.count, expected.size()) << "seed " << seed;
  EXPECT_EQ(seen, expected) << "seed " << seed;
}

TEST(write_every_part, stops_at_an_error_and_tells_what_went) {
  const std::string a = "abc", b = "def";
  const parts list{bytes(a), bytes(b)};
  int calls = 0;
  const transferred done =
      write_every_part(list, [&](part_batch&) -> std::ptrdiff_t { return calls++ == 0 ? 4 : -ECONNRESET; });
  EXPECT_EQ(done.count, 4u);
  EXPECT_EQ(done.error, ECONNRESET);
}

}  // namespace
}  // namespace weft::detail
