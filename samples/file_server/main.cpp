// An HTTP/1.1 server for the files of a directory: a listener and an accepting fiber on each core, and a fiber for each
// connection. It runs until SIGINT or SIGTERM.
#include "../core_table.h"
#include "../descriptor_limit.h"
#include "arguments.h"
#include "connection.h"
#include "server.h"

#include <weft/weft.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

// Answers that are on their way when the server is told to stop have this long to arrive.
constexpr auto farewell_time = 800ms;

// Beside a socket and a file for each connection.
constexpr rlim_t other_descriptors = 100;

void accept_all(weft::net::tcp_listener& listener, file_server::server& here) {
  for (;;) {
    std::error_code ec;
    weft::net::tcp_stream stream = listener.accept(ec);
    if (ec == std::errc::bad_file_descriptor || ec == std::errc::operation_canceled) return;
    if (ec) throw std::system_error(ec, "accept");
    // Counted here: the fiber starts later, when many more may have been accepted.
    auto ticket = file_server::connection_ticket::take(here);
    if (!ticket) continue;  // The client sees its connection closed.
    try {
      weft::spawn_detached({.name = "connection"},
                           [ticket = std::move(*ticket), stream = std::move(stream), &here]() mutable {
                             file_server::connection(std::move(stream), here).serve();
                           });
    } catch (const std::bad_alloc&) {
      std::fputs("file_server: no memory for one more connection\n", stderr);
    }
  }
}

void wait_until_answered(const file_server::server& here) {
  const auto limit = std::chrono::steady_clock::now() + farewell_time;
  while (here.answering.load(std::memory_order_relaxed) > 0 && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(2ms);
  }
}

int serve(const file_server::arguments& wanted) {
  std::signal(SIGPIPE, SIG_IGN);            // A client that is gone must not end the server: it is an error of a call.
  weft::signals ending({SIGINT, SIGTERM});  // Before the first thread of the runtime.
  raise_descriptor_limit(2 * wanted.limits.connections + other_descriptors);
  file_server::server here{file_server::directory(wanted.folder, wanted.way), wanted.limits};
  weft::runtime cores(wanted.runtime);
  auto listeners = cores.spawn([&] { return weft::net::listen_on_every_core(wanted.where, cores.cores()); }).join();
  weft::event has_failed;
  std::vector<weft::fiber<void>> acceptors;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    acceptors.push_back(cores.spawn({.name = "acceptor", .core = i}, [&here, &has_failed, &listener = listeners[i]] {
      try {
        accept_all(listener, here);
      } catch (...) {
        has_failed.set();  // The error comes out of join().
        throw;
      }
    }));
  }
  std::printf("listening on http://%s/\n", listeners[0].local_endpoint().to_string().c_str());
  std::fflush(stdout);

  cores
      .spawn([&] {
        weft::signal_info why;
        weft::select(weft::on_signal(ending, why), weft::on_event(has_failed));
      })
      .join();
  here.is_stopping.store(true, std::memory_order_relaxed);
  for (auto& listener : listeners) listener.close();
  for (auto& acceptor : acceptors) acceptor.join();
  wait_until_answered(here);
  if (wanted.wants_statistics) print_core_table(cores.statistics());
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const file_server::arguments wanted = file_server::parse_arguments(count, words);
  try {
    return serve(wanted);
  } catch (const std::invalid_argument& wrong) {
    std::fprintf(stderr, "file_server: %s\n", wrong.what());
    return 2;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "file_server: %s\n", failed.what());
    return 1;
  }
}
