#include "connection.h"

#include "http_date.h"
#include "request_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <span>
#include <tuple>

namespace file_server {

namespace {

constexpr std::size_t flush_from = std::size_t{64} << 10;

// Up to here a copy into the answer's packet is cheaper than a packet of its own.
constexpr std::uint64_t largest_copied = std::uint64_t{16} << 10;

// A turn of sendfile() after which others may run.
constexpr std::uint64_t largest_turn = std::uint64_t{1} << 20;

constexpr auto linger_time = 500ms;
constexpr std::size_t linger_bytes = std::size_t{256} << 10;

void append_number(std::string& to, std::uint64_t number) {
  char digits[20];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

connection::connection(weft::net::tcp_stream stream, server& owner)
    : stream_(std::move(stream)), owner_(owner), scanner_(owner.limits) {}

connection::~connection() { set_answering(false); }

void connection::set_answering(bool is) noexcept {
  if (is == is_answering_) return;
  is_answering_ = is;
  owner_.answering.fetch_add(is ? 1 : std::size_t(-1), std::memory_order_relaxed);
}

void connection::serve() {
  while (await_header() && answer_one()) {
  }
  if (!flush() || !lingers_) return;
  set_answering(false);
  linger();
}

// False when there will be no further request; a refusal then waits in the output.
bool connection::await_header() {
  scanner_.reset();
  const settings& limits = owner_.limits;
  bool has_begun = !input_.text().empty();
  weft::deadline limit = has_begun || served_ == 0 ? limits.header_time : limits.idle_time;
  for (;;) {
    switch (scanner_.scan(input_.text())) {
      case header_scanner::verdict::complete:
        return true;
      case header_scanner::verdict::refused:
        refuse(scanner_.why());
        return false;
      case header_scanner::verdict::incomplete:
        break;
    }
    if (!flush()) return false;
    set_answering(false);
    if (owner_.is_stopping.load(std::memory_order_relaxed) && !has_begun) return false;
    if (const std::error_code ec = receive(limit)) {
      if (ec == std::errc::timed_out && scanner_.has_begun()) refuse(http::status::request_timeout);
      return false;
    }
    if (!has_begun && served_ > 0) limit = limits.header_time;
    has_begun = true;
  }
}

bool connection::answer_one() {
  set_answering(true);
  std::array<std::byte, 2048> scratch;
  std::pmr::monotonic_buffer_resource memory(scratch.data(), scratch.size());
  http_parser parser(std::piecewise_construct, std::make_tuple(), std::make_tuple(field_allocator(&memory)));
  const http::status read =
      read_header(input_.text().substr(scanner_.first(), scanner_.end() - scanner_.first()), parser);
  input_.drop(scanner_.end());
  if (read != http::status::ok) {
    refuse(read);
    return false;
  }
  ++served_;
  const bool keep_open = parser.keep_alive() && take_body(parser) && served_ < owner_.limits.requests_per_connection &&
                         !owner_.is_stopping.load(std::memory_order_relaxed);
  lingers_ = !keep_open;
  return send(answer(parser.get(), owner_.top, owner_.limits), parser.get(), keep_open) && keep_open;
}

// Reads past a body that nobody asked for. False if it is not worth it: then the connection ends with the answer.
bool connection::take_body(const http_parser& parser) {
  if (parser.chunked()) return false;
  const auto length = parser.content_length();
  if (!length || *length == 0) return true;
  if (*length > owner_.limits.body_bytes || parser.get().count(http::field::expect) > 0) return false;
  const weft::deadline limit = owner_.limits.header_time;
  for (std::uint64_t left = *length;;) {
    const auto here = std::min<std::uint64_t>(left, input_.text().size());
    input_.drop(static_cast<std::size_t>(here));
    left -= here;
    if (left == 0) return true;
    if (!flush() || receive(limit)) return false;  // Who sends the body may wait for the answers before it.
  }
}

void connection::refuse(http::status why) {
  lingers_ = true;
  const reply refusal = plain_reply(why);
  put_head(refusal, 11, false);
  output_ += refusal.text;
}

bool connection::send(const reply& what, const http_request& request, bool keep_open) {
  put_head(what, request.version(), keep_open);
  if (what.has_body() && request.method() != http::verb::head) {
    for (const file_slice& slice : what.slices) {
      if (!send_slice(what, slice)) return false;
    }
    output_ += what.text;
  }
  return output_.size() < flush_from || flush();
}

// False also where the file has become shorter than the header said: the client must see the answer break off.
bool connection::send_slice(const reply& what, const file_slice& slice) {
  output_ += slice.before;
  const int file = what.file.number();
  if (slice.size <= largest_copied) {
    const auto size = static_cast<std::size_t>(slice.size);
    const std::size_t before = output_.size();
    output_.resize(before + size);
    if (::pread(file, output_.data() + before, size, static_cast<off_t>(slice.first)) == static_cast<ssize_t>(size)) {
      return true;
    }
    output_.resize(before);
    return false;
  }
  return flush(slice.size != 0) && deliver(slice.size, [&](std::uint64_t done, std::error_code& ec) {
           const auto turn = static_cast<std::size_t>(std::min(slice.size - done, largest_turn));
           return stream_.send_file(file, slice.first + done, turn, ec, owner_.limits.stall_time);
         });
}

void connection::put_head(const reply& what, unsigned version, bool keep_open) {
  const auto reason = http::obsolete_reason(what.status);
  output_ += "HTTP/1.1 ";
  append_number(output_, static_cast<unsigned>(what.status));
  output_.append(" ").append(reason.data(), reason.size());
  output_.append("\r\nServer: weft\r\nDate: ").append(to_http_date(std::time(nullptr))).append("\r\n");
  output_ += what.fields;
  if (what.has_body()) {
    output_ += "X-Content-Type-Options: nosniff\r\nContent-Length: ";
    append_number(output_, what.length());
    output_ += "\r\n";
  }
  if (!keep_open) {
    output_ += "Connection: close\r\n";
  } else if (version < 11) {
    output_ += "Connection: keep-alive\r\n";
  }
  output_ += "\r\n";
}

std::error_code connection::receive(weft::deadline limit) {
  std::error_code ec;
  const std::size_t count = stream_.read(input_.room(), ec, limit);
  input_.filled(count);
  if (!ec && count == 0) return weft::io_errc::end_of_stream;
  return ec;
}

bool connection::flush(bool more_follows) {
  const auto bytes = std::as_bytes(std::span<const char>(output_));
  const bool is_sent = deliver(output_.size(), [&](std::uint64_t done, std::error_code& ec) {
    const auto rest = bytes.subspan(static_cast<std::size_t>(done));
    const weft::deadline limit = owner_.limits.stall_time;
    return more_follows ? stream_.write_ahead(rest, ec, limit) : stream_.write(rest, ec, limit);
  });
  output_.clear();
  return is_sent;
}

// Moves `size` bytes in turns, each of which must be finished, or well on its way, in the stall time.
template <class Move>
bool connection::deliver(std::uint64_t size, Move&& move) {
  for (std::uint64_t done = 0; done < size;) {
    std::error_code ec;
    const std::size_t moved = move(done, ec);
    const bool is_slow = ec == std::errc::timed_out && moved >= owner_.limits.least_bytes_per_stall;
    if (moved == 0 || (ec && !is_slow)) return lingers_ = false;
    done += moved;
  }
  return true;
}

// Closing while unread bytes are left would reset the connection and might destroy the answer on its way. So the
// client gets the end of the stream, and a moment to see it.
void connection::linger() {
  std::error_code ec;
  stream_.shutdown(weft::net::shutdown_mode::write, ec);
  const weft::deadline limit = linger_time;
  for (std::size_t seen = 0; !ec && seen < linger_bytes;) {
    input_.drop(input_.text().size());
    ec = receive(limit);
    seen += input_.text().size();
  }
}

}  // namespace file_server
