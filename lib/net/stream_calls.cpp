#include "net/stream_calls.h"

#include "platform/system_calls.h"

#include <sys/socket.h>

namespace weft::inline v0::detail {

namespace {

std::ptrdiff_t receive_some(socket_handle& handle, std::byte* data, std::size_t size, std::int64_t deadline) noexcept {
  return handle.perform(direction::read, deadline, size, [=](int fd) noexcept {
    return retry_interrupted([=] { return sys().recv(fd, data, size, 0); });
  });
}

#ifdef MSG_MORE
constexpr int more_follows = MSG_MORE;
#else
constexpr int more_follows = 0;
#endif

// MSG_NOSIGNAL: a peer that is gone is an error of this call, and no signal to the process.
std::ptrdiff_t send_once(socket_handle& handle, const std::byte* data, std::size_t size, std::int64_t deadline,
                         int flags = MSG_NOSIGNAL) noexcept {
  return handle.perform(direction::write, deadline, size, [=](int fd) noexcept {
    return retry_interrupted([=] { return sys().send(fd, data, size, flags); });
  });
}

std::ptrdiff_t send_batch(socket_handle& handle, part_batch& batch, std::int64_t deadline) noexcept {
  msghdr message{};
  message.msg_iov = batch.parts.data();
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(batch.count);
  return handle.perform(direction::write, deadline, batch.bytes, [&message](int fd) noexcept {
    return retry_interrupted([&] { return sys().sendmsg(fd, &message, MSG_NOSIGNAL); });
  });
}

// Runs `call` with the turn of one direction.
template <class Call>
transferred in_turn(stream_socket* socket, direction_turn stream_socket::*which, Call&& call) noexcept {
  if (socket == nullptr || !socket->handle.is_open()) return {0, EBADF};
  const direction_turn::guard turn(socket->*which);
  if (!turn) return {0, EBUSY};
  return call(socket->handle);
}

transferred send_all(stream_socket* socket, std::span<const std::byte> data, std::int64_t deadline,
                     int flags) noexcept {
  return in_turn(socket, &stream_socket::writing, [&](socket_handle& handle) {
    return write_everything(data.data(), data.size(), [&](const std::byte* from, std::size_t size) noexcept {
      return send_once(handle, from, size, deadline, flags);
    });
  });
}

}  // namespace

transferred receive(stream_socket* socket, std::span<std::byte> buffer, std::int64_t deadline) noexcept {
  return in_turn(socket, &stream_socket::reading, [&](socket_handle& handle) -> transferred {
    if (buffer.empty()) return {};
    return transferred_of(receive_some(handle, buffer.data(), std::min(buffer.size(), largest_attempt), deadline));
  });
}

transferred receive(stream_socket* socket, std::span<const std::span<std::byte>> buffers,
                    std::int64_t deadline) noexcept {
  return in_turn(socket, &stream_socket::reading, [&](socket_handle& handle) -> transferred {
    part_batch batch;
    part_cursor<std::byte>(buffers).fill(batch);
    if (batch.bytes == 0) return {};
    return transferred_of(handle.perform(direction::read, deadline, batch.bytes, [&batch](int fd) noexcept {
      return retry_interrupted([&] { return sys().readv(fd, batch.parts.data(), batch.count); });
    }));
  });
}

transferred receive_exactly(stream_socket* socket, std::span<std::byte> buffer, std::int64_t deadline) noexcept {
  return in_turn(socket, &stream_socket::reading, [&](socket_handle& handle) {
    return read_everything(buffer.data(), buffer.size(), [&](std::byte* data, std::size_t size) noexcept {
      return receive_some(handle, data, size, deadline);
    });
  });
}

transferred send(stream_socket* socket, std::span<const std::byte> data, std::int64_t deadline) noexcept {
  return send_all(socket, data, deadline, MSG_NOSIGNAL);
}

transferred send_ahead(stream_socket* socket, std::span<const std::byte> data, std::int64_t deadline) noexcept {
  return send_all(socket, data, deadline, MSG_NOSIGNAL | more_follows);
}

transferred send(stream_socket* socket, std::span<const std::span<const std::byte>> parts,
                 std::int64_t deadline) noexcept {
  return in_turn(socket, &stream_socket::writing, [&](socket_handle& handle) {
    return write_every_part(parts, [&](part_batch& batch) noexcept { return send_batch(handle, batch, deadline); });
  });
}

transferred send_some(stream_socket* socket, std::span<const std::byte> data, std::int64_t deadline) noexcept {
  return in_turn(socket, &stream_socket::writing, [&](socket_handle& handle) -> transferred {
    if (data.empty()) return {};
    return transferred_of(send_once(handle, data.data(), std::min(data.size(), largest_attempt), deadline));
  });
}

}  // namespace weft::inline v0::detail
