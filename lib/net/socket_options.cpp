#include "net/socket_options.h"

#include "platform/system_calls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <limits>

namespace weft::inline v0::detail {

namespace {

constexpr long long longest_keep_alive_seconds = 32767;
constexpr int most_keep_alive_probes = 127;

int set_seconds(int fd, int option, std::chrono::seconds value) noexcept {
  if (value.count() < 1 || value.count() > longest_keep_alive_seconds) return EINVAL;
  return set_option(fd, IPPROTO_TCP, option, static_cast<int>(value.count()));
}

int set_probes(int fd, int value) noexcept {
  if (value < 1 || value > most_keep_alive_probes) return EINVAL;
  return set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, value);
}

int set_bytes(int fd, int option, std::size_t value) noexcept {
  if (value > static_cast<std::size_t>(std::numeric_limits<int>::max())) return EINVAL;
  return set_option(fd, SOL_SOCKET, option, static_cast<int>(value));
}

int set_reset_on_close(int fd, bool value) noexcept {
  const linger setting{value ? 1 : 0, 0};
  return -sys().setsockopt(fd, SOL_SOCKET, SO_LINGER, &setting, sizeof setting);
}

int get_reset_on_close(int fd, bool& value) noexcept {
  linger setting{};
  socklen_t size = sizeof setting;
  const int result = sys().getsockopt(fd, SOL_SOCKET, SO_LINGER, &setting, &size);
  value = setting.l_onoff != 0 && setting.l_linger == 0;
  return -result;
}

}  // namespace

int set_option(int fd, int level, int option, int value) noexcept {
  return -sys().setsockopt(fd, level, option, &value, sizeof value);
}

int get_option(int fd, int level, int option, int& value) noexcept {
  socklen_t size = sizeof value;
  return -sys().getsockopt(fd, level, option, &value, &size);
}

option_result apply_options(int fd, const net::stream_options& wanted) noexcept {
  option_result result;
  const auto apply = [&result](const char* name, const auto& value, auto set) {
    if (!value || result.error != 0) return;
    const int error = set(*value);
    if (error != 0) result = {error, name};
  };
  apply("no_delay", wanted.no_delay, [=](bool on) { return set_option(fd, IPPROTO_TCP, TCP_NODELAY, on); });
  apply("keep_alive", wanted.keep_alive, [=](bool on) { return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, on); });
  apply("keep_alive_idle", wanted.keep_alive_idle, [=](auto time) { return set_seconds(fd, TCP_KEEPIDLE, time); });
  apply("keep_alive_interval", wanted.keep_alive_interval,
        [=](auto time) { return set_seconds(fd, TCP_KEEPINTVL, time); });
  apply("keep_alive_probes", wanted.keep_alive_probes, [=](int count) { return set_probes(fd, count); });
  apply("reset_on_close", wanted.reset_on_close, [=](bool on) { return set_reset_on_close(fd, on); });
  apply("receive_buffer_bytes", wanted.receive_buffer_bytes,
        [=](std::size_t size) { return set_bytes(fd, SO_RCVBUF, size); });
  apply("send_buffer_bytes", wanted.send_buffer_bytes,
        [=](std::size_t size) { return set_bytes(fd, SO_SNDBUF, size); });
  return result;
}

option_result read_options(int fd, net::stream_options& found) noexcept {
  option_result result;
  const auto get = [&](const char* name, int level, int option) {
    int value = 0;
    const int error = get_option(fd, level, option, value);
    if (error != 0 && result.error == 0) result = {error, name};
    return value;
  };
  found.no_delay = get("no_delay", IPPROTO_TCP, TCP_NODELAY) != 0;
  found.keep_alive = get("keep_alive", SOL_SOCKET, SO_KEEPALIVE) != 0;
  found.keep_alive_idle = std::chrono::seconds(get("keep_alive_idle", IPPROTO_TCP, TCP_KEEPIDLE));
  found.keep_alive_interval = std::chrono::seconds(get("keep_alive_interval", IPPROTO_TCP, TCP_KEEPINTVL));
  found.keep_alive_probes = get("keep_alive_probes", IPPROTO_TCP, TCP_KEEPCNT);
  bool reset_on_close = false;
  const int error = get_reset_on_close(fd, reset_on_close);
  if (error != 0 && result.error == 0) result = {error, "reset_on_close"};
  found.reset_on_close = reset_on_close;
  found.receive_buffer_bytes = static_cast<std::size_t>(get("receive_buffer_bytes", SOL_SOCKET, SO_RCVBUF));
  found.send_buffer_bytes = static_cast<std::size_t>(get("send_buffer_bytes", SOL_SOCKET, SO_SNDBUF));
  return result;
}

}  // namespace weft::inline v0::detail
