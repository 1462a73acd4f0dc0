// TCP echo as a bare edge-triggered epoll loop, one thread and one listener for each core: the floor that the others are
// held against. Usage: raw_epoll [VARIANT [CORES]]. Runs until it is killed.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

// Reads until a short count says that nothing is left. False when the peer is gone.
bool echo(int fd) {
  char buffer[4096];
  for (;;) {
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
    if (n < 0) return true;
    for (ssize_t sent = 0; sent < n;) {
      const ssize_t m = send(fd, buffer + sent, static_cast<size_t>(n - sent), MSG_NOSIGNAL);
      if (m < 0 && errno != EAGAIN) return false;
      if (m > 0) sent += m;
    }
    if (n < static_cast<ssize_t>(sizeof buffer)) return true;
  }
}

void accept_all(int listener, int queue) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event e{};
    e.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    e.data.fd = fd;
    epoll_ctl(queue, EPOLL_CTL_ADD, fd, &e);
  }
}

// Returns: the listener, and in `port` where it listens, if that was 0.
int listen_at(std::uint16_t& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || listen(listener, 4096) != 0) {
    std::perror("raw_epoll: bind and listen");
    std::exit(1);
  }
  socklen_t length = sizeof at;
  getsockname(listener, reinterpret_cast<sockaddr*>(&at), &length);
  port = ntohs(at.sin_port);
  return listener;
}

void serve(int listener) {
  const int queue = epoll_create1(EPOLL_CLOEXEC);
  epoll_event e{};
  e.events = EPOLLIN | EPOLLET;
  e.data.fd = listener;
  epoll_ctl(queue, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    epoll_event events[128];
    const int n = epoll_wait(queue, events, 128, -1);
    for (int i = 0; i < n; ++i) {
      if (events[i].data.fd == listener) {
        accept_all(listener, queue);
      } else if (!echo(events[i].data.fd)) {
        close(events[i].data.fd);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int cores = argc > 2 ? std::atoi(argv[2]) : 1;
  std::uint16_t port = 0;
  const int first = listen_at(port);
  for (int i = 1; i < cores; ++i) std::thread(serve, listen_at(port)).detach();
  std::printf("listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  serve(first);
}
