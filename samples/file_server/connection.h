// One client, from its first byte to its last.
#pragma once

#include "answer.h"
#include "header_scanner.h"
#include "input_buffer.h"
#include "server.h"

#include <weft/net/tcp_stream.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

namespace file_server {

// Lives in one fiber. All waiting has a deadline, and a cancelled fiber just comes to the end.
class connection {
 public:
  connection(weft::net::tcp_stream stream, server& owner);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // Answers requests in their order until either side has enough.
  void serve();

 private:
  bool await_header();
  bool answer_one();
  bool take_body(const http_parser& parser);
  bool send(const reply& what, const http_request& request, bool keep_open);
  bool send_slice(const reply& what, const file_slice& slice);
  void refuse(http::status why);
  void put_head(const reply& what, unsigned version, bool keep_open);
  void linger();

  std::error_code receive(weft::deadline limit);
  bool flush(bool more_follows = false);
  template <class Move>
  bool deliver(std::uint64_t size, Move&& move);
  void set_answering(bool is) noexcept;

  weft::net::tcp_stream stream_;
  server& owner_;
  header_scanner scanner_;
  input_buffer input_;
  std::string output_;  // Small replies gather here while more requests are at hand.
  std::size_t served_ = 0;
  bool is_answering_ = false;
  bool lingers_ = false;  // The end is ours: see linger().
};

}  // namespace file_server
