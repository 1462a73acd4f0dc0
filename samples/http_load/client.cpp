#include "client.h"

#include <weft/this_fiber.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>

namespace http_load {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t input_size = std::size_t{64} << 10;
constexpr auto pause_after_failure = 20ms;

}  // namespace

client::client(plan& orders, totals& results) : orders_(orders), results_(results), input_(input_size) {
  for (std::size_t i = 0; i < orders_.depth; ++i) requests_ += orders_.request;
}

void client::run() {
  while (!orders_.is_over()) {
    if (stream_.is_open() || connect()) {
      exchange();
    } else {
      weft::this_fiber::sleep_for(pause_after_failure);
    }
  }
}

// A started fiber stays on its core, so this changes only between runs of different clients.
core_totals& client::mine() const { return results_.of(weft::this_fiber::core()); }

weft::deadline client::limit() const { return std::min(orders_.end, weft::deadline(orders_.answer_time)); }

client::outcome client::fail(failure why) {
  mine().failures[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
  return outcome::failed;
}

// What the end of the run cuts off did not fail.
client::outcome client::fail(std::error_code ec) {
  if (ec == std::errc::operation_canceled) return outcome::failed;
  if (ec != std::errc::timed_out) return fail(failure::broken);
  return orders_.is_over() ? outcome::failed : fail(failure::timed_out);
}

bool client::connect() {
  begin_ = end_ = answers_ = 0;
  std::error_code ec;
  stream_ = weft::net::tcp_stream::connect(orders_.where, ec, limit());
  if (!ec) return true;
  if (ec == std::errc::timed_out && orders_.is_over()) return false;
  orders_.take(1);
  fail(failure::connect);
  return false;
}

// Sends a batch of requests and reads their answers.
void client::exchange() {
  const std::size_t count = orders_.take(orders_.depth);
  if (count == 0) return;
  const auto start = clock::now();
  std::error_code ec;
  stream_.write(std::string_view(requests_).substr(0, count * orders_.request.size()), ec, limit());
  outcome last = outcome::answered;
  std::size_t done = 0;
  // A write that failed may have been refused together with answers that can still be read.
  for (; done < count && last == outcome::answered; ++done) {
    last = read_answer();
    if (last == outcome::not_taken) break;
    if (last == outcome::failed) continue;
    const std::chrono::nanoseconds taken = clock::now() - start;
    mine().latencies.add(static_cast<std::uint64_t>(taken.count()));
    mine().answers.fetch_add(1, std::memory_order_relaxed);
  }
  orders_.give_back(count - done);
  if (last != outcome::answered || ec) stream_.close();
}

client::outcome client::read_answer() {
  std::array<std::byte, 2048> scratch;
  std::pmr::monotonic_buffer_resource memory(scratch.data(), scratch.size());
  answer_parser parser(std::piecewise_construct, std::make_tuple(), std::make_tuple(field_allocator(&memory)));
  parser.eager(true);
  parser.skip(orders_.is_head);
  parser.header_limit(static_cast<std::uint32_t>(input_size));
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  for (;;) {
    if (begin_ < end_) {
      beast::error_code ec;
      begin_ += parser.put(boost::asio::buffer(&input_[begin_], end_ - begin_), ec);
      if (ec && ec != http::error::need_more) return fail(failure::grammar);
      if (parser.is_done()) return check(parser);
    }
    if (!make_room()) return fail(failure::grammar);
    std::error_code ec;
    const auto room = std::as_writable_bytes(std::span(input_).subspan(end_));
    const std::size_t count = stream_.read(room, ec, limit());
    if (ec == std::errc::connection_reset && !parser.got_some() && answers_ > 0) return outcome::not_taken;
    if (ec) return fail(ec);
    if (count == 0) return end_of_stream(parser);
    end_ += count;
    mine().bytes.fetch_add(count, std::memory_order_relaxed);
  }
}

// The end of a stream may end an answer that has no length; between two answers it is the server's good right.
client::outcome client::end_of_stream(answer_parser& parser) {
  if (!parser.got_some()) return answers_ > 0 ? outcome::not_taken : fail(failure::broken);
  beast::error_code ec;
  parser.put_eof(ec);
  if (ec || !parser.is_done()) return fail(failure::broken);
  const outcome result = check(parser);
  return result == outcome::answered ? outcome::was_last : result;
}

client::outcome client::check(const answer_parser& parser) {
  ++answers_;
  const auto length = static_cast<std::int64_t>(parser.get().body());
  std::int64_t expected = -1;
  orders_.body_length.compare_exchange_strong(expected, length, std::memory_order_relaxed);
  const bool is_status = parser.get().result_int() == orders_.status;
  const bool is_length = expected == -1 || expected == length || orders_.lengths_vary;
  if (!is_status) {
    fail(failure::status);
  } else if (!is_length) {
    fail(failure::length);
  }
  return parser.keep_alive() ? outcome::answered : outcome::was_last;
}

// Room for more input. False if a part of an answer that must be seen in one piece fills the whole buffer.
bool client::make_room() {
  if (begin_ == 0 && end_ == input_.size()) return false;
  if (begin_ > 0) {
    std::memmove(input_.data(), &input_[begin_], end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return true;
}

}  // namespace http_load
