#include "net/stream_calls.h"
#include "platform/signal_set.h"
#include "platform/system_calls.h"

namespace weft::inline v0::detail {

transferred send_file(stream_socket* socket, int file, std::uint64_t offset, std::size_t count,
                      std::int64_t deadline) noexcept {
  if (socket == nullptr || !socket->handle.is_open()) return {0, EBADF};
  const direction_turn::guard turn(socket->writing);
  if (!turn) return {0, EBUSY};
  constexpr auto largest_offset = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  if (offset > largest_offset) return {0, EINVAL};
  // The kernel refuses a range that ends beyond the largest offset, even where the file ends long before.
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, largest_offset - offset));

  // A short count may be the file's doing (its end, or a page that was not there), so it says nothing of the socket: only
  // EAGAIN does, hence nothing is `asked`.
  transferred done;
  auto position = static_cast<off_t>(offset);
  while (done.count < count) {
    const std::size_t size = std::min(count - done.count, largest_attempt);
    const std::ptrdiff_t moved = socket->handle.perform(direction::write, deadline, 0, [&](int fd) noexcept {
      const ssize_t sent = retry_interrupted([&] { return sys().sendfile(fd, file, &position, size); });
      // There is no MSG_NOSIGNAL for it. Workers block the signal; it must not wait there for whoever unblocks it.
      if (sent == -EPIPE) drop_pending(SIGPIPE);
      return sent;
    });
    if (moved < 0) done.error = static_cast<int>(-moved);
    if (moved <= 0) break;
    done.count += static_cast<std::size_t>(moved);
  }
  return done;
}

}  // namespace weft::inline v0::detail
