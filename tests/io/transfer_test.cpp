#include "io/transfer.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace weft::detail {
namespace {

// Plays back results; a positive one moves that many bytes of its text.
class scripted {
 public:
  explicit scripted(std::vector<std::ptrdiff_t> results) : results_(std::move(results)) {}

  std::ptrdiff_t operator()(char* data, std::size_t size) { return move(data, size); }
  std::ptrdiff_t operator()(const char* data, std::size_t size) {
    const std::ptrdiff_t moved = next(size);
    if (moved > 0) seen.append(data, static_cast<std::size_t>(moved));
    return moved;
  }

  std::string seen;
  std::vector<std::size_t> asked;

 private:
  std::ptrdiff_t next(std::size_t size) {
    asked.push_back(size);
    return asked.size() <= results_.size() ? results_[asked.size() - 1] : -ENOMSG;
  }
  std::ptrdiff_t move(char* data, std::size_t size) {
    const std::ptrdiff_t moved = next(size);
    for (std::ptrdiff_t i = 0; i < moved; ++i) data[i] = static_cast<char>('a' + total_++ % 26);
    return moved;
  }

  std::vector<std::ptrdiff_t> results_;
  int total_ = 0;
};

TEST(write_everything, goes_on_after_every_short_count) {
  const std::string text = "abcdefghij";
  scripted attempt({1, 4, 2, 3});
  const transferred done = write_everything(text.data(), text.size(), attempt);
  EXPECT_EQ(done.count, 10u);
  EXPECT_EQ(done.error, 0);
  EXPECT_EQ(attempt.seen, text);
  EXPECT_EQ(attempt.asked, (std::vector<std::size_t>{10, 9, 5, 3}));
}

TEST(write_everything, tells_how_much_went_before_an_error) {
  const std::string text = "abcdefghij";
  scripted attempt({4, -EPIPE});
  const transferred done = write_everything(text.data(), text.size(), attempt);
  EXPECT_EQ(done.count, 4u);
  EXPECT_EQ(done.error, EPIPE);
}

TEST(write_everything, calls_nothing_for_no_bytes) {
  scripted attempt({-EPIPE});
  const transferred done = write_everything("", 0, attempt);
  EXPECT_EQ(done.error, 0);
  EXPECT_TRUE(attempt.asked.empty());
}

TEST(write_everything, does_not_spin_on_a_call_that_takes_nothing) {
  scripted attempt({0, 0, 0});
  const transferred done = write_everything("abc", 3, attempt);
  EXPECT_EQ(done.error, EIO);
  EXPECT_EQ(attempt.asked.size(), 1u);
}

TEST(write_everything, asks_for_no_more_than_a_kernel_moves_at_once) {
  const std::size_t size = std::size_t{5} << 30;
  std::size_t largest = 0;
  const transferred done =
      write_everything(static_cast<const char*>(nullptr), size, [&](const char*, std::size_t asked) -> std::ptrdiff_t {
        largest = std::max(largest, asked);
        return static_cast<std::ptrdiff_t>(asked);
      });
  EXPECT_EQ(done.count, size);
  EXPECT_LT(largest, std::size_t{0x7ffff000});
}

TEST(read_everything, fills_the_buffer_piece_by_piece) {
  char buffer[7] = {};
  scripted attempt({3, 1, 3});
  const transferred done = read_everything(buffer, sizeof buffer, attempt);
  EXPECT_EQ(done.count, 7u);
  EXPECT_EQ(done.error, 0);
  EXPECT_EQ(std::string(buffer, 7), "abcdefg");
}

TEST(read_everything, takes_an_end_before_the_first_byte_for_the_end) {
  char buffer[4];
  scripted attempt({0});
  const transferred done = read_everything(buffer, sizeof buffer, attempt);
  EXPECT_EQ(done.count, 0u);
  EXPECT_EQ(done.error, 0);
}

TEST(read_everything, takes_an_end_in_the_middle_for_an_error) {
  char buffer[4];
  scripted attempt({2, 0});
  const transferred done = read_everything(buffer, sizeof buffer, attempt);
  EXPECT_EQ(done.count, 2u);
  EXPECT_EQ(done.error, early_end);
}

TEST(retry_interrupted, repeats_only_after_a_signal) {
  int calls = 0;
  const long result = retry_interrupted([&]() noexcept -> long { return ++calls < 4 ? -EINTR : -EAGAIN; });
  EXPECT_EQ(result, -EAGAIN);
  EXPECT_EQ(calls, 4);
}

}  // namespace
}  // namespace weft::detail
