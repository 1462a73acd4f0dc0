#include "net/loopback.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <limits>

namespace weft_test {
namespace {

// A file without a name.
class temporary_file {
 public:
  explicit temporary_file(const std::string& text) {
    char path[] = "/tmp/weft_send_file_XXXXXX";
    fd_ = mkostemp(path, O_CLOEXEC);
    EXPECT_GE(fd_, 0);
    unlink(path);
    EXPECT_EQ(::write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  ~temporary_file() { ::close(fd_); }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;

  int fd() const { return fd_; }
  off_t position() const { return lseek(fd_, 0, SEEK_CUR); }

 private:
  int fd_ = -1;
};

TEST(send_file, sends_more_than_the_socket_takes_at_once) {
  const std::string text = numbered_text(20 << 20);
  const temporary_file file(text);
  on_every_width([&] {
    auto [client, server] = connect_pair();
    auto sending = weft::spawn([&server = server, &file, &text] {
      const std::size_t sent = server.send_file(file.fd(), 0, text.size(), patience);
      server.close();
      return sent;
    });
    EXPECT_TRUE(read_to_end(client) == text);
    EXPECT_EQ(sending.join(), text.size());
  });
}

TEST(send_file, sends_a_part_and_leaves_the_position_alone) {
  const std::string text = numbered_text(100000);
  const temporary_file file(text);
  const off_t before = file.position();
  on_every_width([&] {
    auto [client, server] = connect_pair();
    EXPECT_EQ(server.send_file(file.fd(), 1234, 777), 777u);
    server.close();
    EXPECT_TRUE(read_to_end(client) == text.substr(1234, 777));
  });
  EXPECT_EQ(file.position(), before);
}

TEST(send_file, stops_where_the_file_ends) {
  const temporary_file file("0123456789");
  on_every_width([&] {
    auto [client, server] = connect_pair();
    const auto everything = std::numeric_limits<std::size_t>::max();
    EXPECT_EQ(server.send_file(file.fd(), 4, everything), 6u);
    EXPECT_EQ(server.send_file(file.fd(), 10, 1), 0u);
    EXPECT_EQ(server.send_file(file.fd(), 1 << 20, everything), 0u);
    EXPECT_EQ(server.send_file(file.fd(), 0, 0), 0u);
    server.close();
    EXPECT_EQ(read_to_end(client), "456789");
  });
}

TEST(send_file, names_a_file_that_it_cannot_send) {
  on_every_width([] {
    auto [client, server] = connect_pair();
    const auto failure = failure_of([&server = server] { (void)server.send_file(-1, 0, 10); });
    EXPECT_EQ(failure.code(), std::errc::bad_file_descriptor);
    EXPECT_EQ(failure.what(),
              "tcp_stream::send_file to " + server.remote_endpoint().to_string() + ": Bad file descriptor");
    std::error_code ec;
    const temporary_file file("x");
    server.send_file(file.fd(), std::numeric_limits<std::uint64_t>::max(), 1, ec);
    EXPECT_EQ(ec, std::errc::invalid_argument);
    server.write("still open");
    EXPECT_EQ(read_text(client), "still open");
  });
}

TEST(send_file, ends_at_its_deadline) {
  const std::string text = numbered_text(24 << 20);
  const temporary_file file(text);
  on_every_width([&] {
    auto [client, server] = connect_pair();
    std::error_code ec;
    const std::size_t sent = server.send_file(file.fd(), 0, text.size(), ec, 20ms);
    EXPECT_EQ(ec, std::errc::timed_out);
    EXPECT_GT(sent, 0u);
    server.close();
    EXPECT_TRUE(read_to_end(client) == text.substr(0, sent));
  });
}

}  // namespace
}  // namespace weft_test
