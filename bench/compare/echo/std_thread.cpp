// TCP echo, a thread for each connection.
#include "../support/compute.h"
#include "../support/race.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace {

void serve(int fd) {
  char buffer[4096];
  for (;;) {
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    ssize_t sent = 0;
    while (sent < n) {
      const ssize_t m = send(fd, buffer + sent, static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
      if (m < 0) break;
      sent += m;
    }
    if (sent < n) break;
  }
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "pingpong", 0);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || listen(listener, 4096) != 0) {
    std::perror("std_thread: bind and listen");
    return 1;
  }
  socklen_t length = sizeof at;
  getsockname(listener, reinterpret_cast<sockaddr*>(&at), &length);
  std::printf("listening on 127.0.0.1:%d\n", ntohs(at.sin_port));
  std::fflush(stdout);
  if (what.variant == "hog") {
    std::thread([] {
      for (;; std::this_thread::yield()) race::compute_ten_milliseconds();
    }).detach();
  }
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return 1;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread(serve, fd).detach();
  }
}
