// The calls of a tcp_stream without its public face: no exceptions, results as numbers.
//
// `socket` may be null (a stream that is closed or was moved away): then the error is EBADF. `deadline` is in
// monotonic nanoseconds. One call for each direction at a time: EBUSY for the second.
#pragma once

#include "io/part_batch.h"
#include "io/transfer.h"
#include "net/stream_socket.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <weft/net/tcp_stream.h>

namespace weft::inline v0::detail {

transferred receive(stream_socket* socket, std::span<std::byte> buffer, std::int64_t deadline) noexcept;
transferred receive(stream_socket* socket, std::span<const std::span<std::byte>> buffers,
                    std::int64_t deadline) noexcept;
transferred receive_exactly(stream_socket* socket, std::span<std::byte> buffer, std::int64_t deadline) noexcept;

transferred send(stream_socket* socket, std::span<const std::byte> data, std::int64_t deadline) noexcept;
transferred send_ahead(stream_socket* socket, std::span<const std::byte> data, std::int64_t deadline) noexcept;
transferred send(stream_socket* socket, std::span<const std::span<const std::byte>> parts,
                 std::int64_t deadline) noexcept;
transferred send_some(stream_socket* socket, std::span<const std::byte> data, std::int64_t deadline) noexcept;
transferred send_file(stream_socket* socket, int file, std::uint64_t offset, std::size_t count,
                      std::int64_t deadline) noexcept;

// Makes a connected socket. Returns 0, or an errno value, and then the option that was refused if it was one.
struct connected {
  std::unique_ptr<stream_socket> socket;
  int error = 0;
  const char* option = "";
};
connected connect_stream(const net::endpoint& peer, const net::connect_options& options,
                         std::int64_t deadline) noexcept;

}  // namespace weft::inline v0::detail
