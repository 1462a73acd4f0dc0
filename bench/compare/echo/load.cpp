// The client of the echo race: ping-pong of fixed-size messages over many connections, one epoll loop on the last CPU.
// Usage: load PORT CONNECTIONS BYTES SECONDS. Prints round trips per second and latency percentiles.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

struct connection {
  int fd = -1;
  size_t received = 0;
  steady::time_point sent_at;
};

int connect_to(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
    std::perror("load: connect");
    std::exit(1);
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

double percentile(std::vector<float>& sorted, double p) {
  return sorted.empty() ? 0 : double(sorted[std::min(sorted.size() - 1, size_t(p * double(sorted.size())))]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: load PORT CONNECTIONS BYTES SECONDS\n");
    return 2;
  }
  cpu_set_t last;
  CPU_ZERO(&last);
  CPU_SET(static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) - 1, &last);
  sched_setaffinity(0, sizeof last, &last);
  std::vector<connection> all(static_cast<size_t>(std::atoi(argv[2])));
  const std::vector<char> message(static_cast<size_t>(std::atoi(argv[3])), 'x');
  std::vector<char> buffer(1 << 16);
  const int queue = epoll_create1(EPOLL_CLOEXEC);
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].fd = connect_to(std::atoi(argv[1]));
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.u64 = i;
    epoll_ctl(queue, EPOLL_CTL_ADD, all[i].fd, &e);
  }
  const auto ask = [&message](connection& c) {
    c.received = 0;
    c.sent_at = steady::now();
    if (send(c.fd, message.data(), message.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(message.size())) std::exit(1);
  };
  for (connection& c : all) ask(c);
  std::vector<float> latencies;
  latencies.reserve(4 << 20);
  const auto begin = steady::now();
  const auto warm = begin + std::chrono::milliseconds(300);
  const auto end = warm + std::chrono::duration<double>(std::atof(argv[4]));
  for (auto now = begin; now < end;) {
    epoll_event events[256];
    const int n = epoll_wait(queue, events, 256, 1000);
    for (int i = 0; i < n; ++i) {
      connection& c = all[events[i].data.u64];
      const ssize_t got = recv(c.fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        std::fprintf(stderr, "load: a connection ended\n");
        return 1;
      }
      c.received += static_cast<size_t>(got);
      if (c.received < message.size()) continue;
      now = steady::now();
      if (now >= warm) latencies.push_back(std::chrono::duration<float, std::micro>(now - c.sent_at).count());
      ask(c);
    }
    if (n == 0) now = steady::now();
  }
  const double seconds = std::atof(argv[4]);
  std::sort(latencies.begin(), latencies.end());
  std::printf("%.0f/s p50=%.1f us p99=%.1f us p99.9=%.1f us\n", double(latencies.size()) / seconds,
              percentile(latencies, 0.5), percentile(latencies, 0.99), percentile(latencies, 0.999));
}
