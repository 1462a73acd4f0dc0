#include "io/failure.h"

#include <weft/cancelled.h>

#include <gtest/gtest.h>

#include <cerrno>

namespace weft::detail {
namespace {

std::string text_of(int error, const call_site& where) {
  try {
    throw_failure(error, where);
  } catch (const std::system_error& failure) {
    return failure.what();
  }
}

TEST(to_error_code, compares_with_the_names_of_std) {
  EXPECT_FALSE(to_error_code(0));
  EXPECT_EQ(to_error_code(ETIMEDOUT), std::errc::timed_out);
  EXPECT_EQ(to_error_code(ETIMEDOUT), std::make_error_code(std::errc::timed_out));
  EXPECT_EQ(to_error_code(ECANCELED), std::errc::operation_canceled);
  EXPECT_EQ(to_error_code(EBADF), std::errc::bad_file_descriptor);
}

TEST(to_error_code, names_an_early_end) {
  const std::error_code code = to_error_code(early_end);
  EXPECT_EQ(code, io_errc::end_of_stream);
  EXPECT_STREQ(code.category().name(), "weft.io");
  EXPECT_EQ(code.message(), "The stream ended too early");
  EXPECT_EQ(io_category().message(77), "Unknown weft.io error 77");
}

TEST(throw_failure, names_the_call_the_subject_and_what_was_wrong) {
  EXPECT_EQ(text_of(ECONNRESET, {"tcp_stream::read", "from 127.0.0.1:8080"}),
            "tcp_stream::read from 127.0.0.1:8080: Connection reset by peer");
  EXPECT_EQ(text_of(EINVAL, {"tcp_listener::listen", "on [::1]:80", "the backlog is below 1"}),
            "tcp_listener::listen on [::1]:80 (the backlog is below 1): Invalid argument");
}

TEST(throw_failure, turns_cancellation_into_its_own_type) {
  EXPECT_THROW(throw_failure(ECANCELED, {"tcp_stream::read"}), weft::cancelled);
}

}  // namespace
}  // namespace weft::detail
