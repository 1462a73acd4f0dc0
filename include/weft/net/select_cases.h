// Streams and listeners as cases of weft::select().
//
//   weft::select(weft::on_readable(client, [&] { relay(client, server); }),
//                weft::on_readable(server, [&] { relay(server, client); }),
//                weft::on_timeout(30s, [&] { client.close(); }));
#pragma once

#include <weft/detail/descriptor_case.h>
#include <weft/net/tcp_listener.h>
#include <weft/net/tcp_stream.h>

#include <concepts>
#include <utility>

namespace weft::inline v0 {

namespace detail {
struct socket_access {
  // Throws: std::system_error (bad_file_descriptor) where there is no socket.
  WEFT_API static descriptor* watched(net::tcp_stream& stream);
  WEFT_API static descriptor* watched(net::tcp_listener& listener);
};
}  // namespace detail

// A case that is chosen where the next call would not wait: because bytes (or room for some, or a connection) are there,
// or because it has ended, failed or been closed, also while the select waits; the call then says which. The select itself
// takes nothing, chosen or not.
//
// A select waits in its direction as a call does, and there can be one of both: where the other one waits already the
// select fails with device_or_resource_busy, and so does a call that comes while the select waits. A listener's accept()
// waits for reading.
// Throws: std::system_error, bad_file_descriptor for an object that has never been open. select(): operation_not_permitted
//   outside of fibers of the runtime that the object belongs to; device_or_resource_busy.

// Reading would not wait.
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_readable(net::tcp_stream& stream, F handler = {}) {
  return detail::case_of_descriptor(detail::socket_access::watched(stream), detail::descriptor_case_ops::readable,
                                    std::move(handler));
}

// Writing one byte, or more, would not wait: write_some(), not write().
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_writable(net::tcp_stream& stream, F handler = {}) {
  return detail::case_of_descriptor(detail::socket_access::watched(stream), detail::descriptor_case_ops::writable,
                                    std::move(handler));
}

// Accepting would not wait, as long as nobody else takes the connection first.
template <std::invocable F = detail::no_action>
[[nodiscard]] auto on_acceptable(net::tcp_listener& listener, F handler = {}) {
  return detail::case_of_descriptor(detail::socket_access::watched(listener), detail::descriptor_case_ops::readable,
                                    std::move(handler));
}

}  // namespace weft::inline v0
