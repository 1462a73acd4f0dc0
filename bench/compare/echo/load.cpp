// The client of the echo races: messages of fixed size over many connections, in one epoll loop, compared byte for byte
// when they come back. A connection has one message under way, or 32 ("stream").
// Usage: load VARIANT PORT CONNECTIONS BYTES SECONDS. An item is one message.
#include "../support/latency.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace {

struct connection {
  int fd = -1;
  std::size_t received = 0;  // Of the message that comes next.
  race::moment sent_at;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int connect_to(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) fail("load: connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

class client {
 public:
  client(int port, std::size_t connections, std::size_t bytes, std::size_t window)
      : all_(connections), bytes_(bytes), pattern_(bytes * window + buffer_.size()) {
    for (std::size_t i = 0; i < pattern_.size(); ++i) pattern_[i] = static_cast<char>(i % bytes * 7 % 251);
    for (std::size_t i = 0; i < connections; ++i) {
      all_[i].fd = connect_to(port);
      epoll_event e{};
      e.events = EPOLLIN;
      e.data.u64 = i;
      epoll_ctl(queue_, EPOLL_CTL_ADD, all_[i].fd, &e);
    }
    for (connection& each : all_) ask(each, window, race::clock::now());
  }

  // Serves all connections until `end`, and notes what comes from `begin` on.
  void run(race::moment begin, race::moment end) {
    latencies_.reserve(4 << 20);
    for (race::moment now{}; now < end;) {
      epoll_event events[256];
      const int n = epoll_wait(queue_, events, 256, 1000);
      now = race::clock::now();
      for (int i = 0; i < n; ++i) now = take(all_[events[i].data.u64], begin);
    }
  }

  race::latencies& latencies() noexcept { return latencies_; }
  std::uint64_t messages() const noexcept { return messages_; }

 private:
  void ask(connection& c, std::size_t count, race::moment now) {
    c.sent_at = now;
    const std::size_t length = count * bytes_;
    if (send(c.fd, pattern_.data(), length, MSG_NOSIGNAL) != static_cast<ssize_t>(length)) fail("load: send");
  }

  race::moment take(connection& c, race::moment begin) {
    const ssize_t got = recv(c.fd, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) fail("load: a connection ended");
    const auto length = static_cast<std::size_t>(got);
    if (std::memcmp(buffer_.data(), pattern_.data() + c.received, length) != 0) {
      std::fprintf(stderr, "load: what came back is not what was sent\n");
      std::exit(1);
    }
    const race::moment now = race::clock::now();
    const std::size_t whole = (c.received + length) / bytes_;
    c.received = (c.received + length) % bytes_;
    if (whole == 0) return now;
    if (now >= begin) {
      latencies_.add(now - c.sent_at);
      messages_ += whole;
    }
    ask(c, whole, now);
    return now;
  }

  std::vector<char> buffer_ = std::vector<char>(1 << 16);
  std::vector<connection> all_;
  std::size_t bytes_;
  std::vector<char> pattern_;
  int queue_ = epoll_create1(EPOLL_CLOEXEC);
  race::latencies latencies_;
  std::uint64_t messages_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: load VARIANT PORT CONNECTIONS BYTES SECONDS\n");
    return 2;
  }
  const std::size_t window = std::strcmp(argv[1], "stream") == 0 ? 32 : 1;
  const double seconds = std::atof(argv[5]);
  client peer(std::atoi(argv[2]), std::strtoul(argv[3], nullptr, 10), std::strtoul(argv[4], nullptr, 10), window);
  const auto begin = race::clock::now() + std::chrono::milliseconds(300);
  peer.run(begin, begin + std::chrono::duration_cast<race::clock::duration>(std::chrono::duration<double>(seconds)));
  std::printf("{\"items\":%llu,\"seconds\":%.6f%s}\n", static_cast<unsigned long long>(peer.messages()), seconds,
              peer.latencies().percentiles().c_str());
}
