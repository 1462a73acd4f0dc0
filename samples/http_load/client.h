// One connection of the load: sends requests, reads answers, measures.
#pragma once

#include "answer_parser.h"
#include "plan.h"
#include "totals.h"

#include <weft/net/tcp_stream.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

namespace http_load {

// Lives in one fiber. A connection that the server ends after an answer is opened anew, which is no failure.
class client {
 public:
  client(plan& orders, totals& results);

  // Until the plan is over.
  void run();

 private:
  using clock = std::chrono::steady_clock;

  enum class outcome {
    answered,   // Well or not: the next answer may follow.
    was_last,   // As answered, but the server ends the connection.
    not_taken,  // The server ended the connection before this request: it is to be sent again.
    failed,
  };

  bool connect();
  void exchange();
  outcome read_answer();
  outcome end_of_stream(answer_parser& parser);
  outcome check(const answer_parser& parser);
  bool make_room();
  outcome fail(failure why);
  outcome fail(std::error_code ec);
  core_totals& mine() const;
  weft::deadline limit() const;

  plan& orders_;
  totals& results_;
  std::string requests_;  // As many as go out at once.
  weft::net::tcp_stream stream_;
  std::size_t answers_ = 0;  // On this connection.
  std::vector<char> input_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace http_load
