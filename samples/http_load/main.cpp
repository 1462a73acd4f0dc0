// Loads an HTTP/1.1 server: a fiber for each connection, each with one batch of requests under way at all times.
#include "../core_table.h"
#include "../descriptor_limit.h"
#include "client.h"
#include "report.h"
#include "url.h"

#include <weft/weft.h>

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <vector>

namespace {

using namespace std::chrono_literals;
using seconds = std::chrono::duration<double>;

constexpr rlim_t other_descriptors = 100;

struct arguments {
  std::string address;
  std::size_t connections = 50;
  std::size_t depth = 1;
  double duration = 10;
  double timeout = 10;
  std::int64_t requests = 0;
  std::size_t cores = 0;
  unsigned status = 200;
  bool is_head = false;
  bool lengths_vary = false;
  bool wants_json = false;
  bool wants_statistics = false;
};

// Ends the program for --help (status 0), and for what is wrong, with a message that names it (status 2).
arguments parse_arguments(int count, char** words) {
  arguments given;
  CLI::App app("Loads an HTTP/1.1 server and reports requests per second and latencies.", "http_load");
  app.add_option("URL", given.address, "http://host[:port][/path]")->required();
  const auto number = [&app](const char* name, auto& value, const char* what) {
    return app.add_option(name, value, what)->capture_default_str()->type_name("N");
  };
  number("--connections", given.connections, "Connections at once")->check(CLI::Range(1, 1'000'000));
  number("--pipeline", given.depth, "Requests under way at once on each connection")->check(CLI::Range(1, 1024));
  auto* const duration = number("--duration", given.duration, "Seconds to run")->check(CLI::Range(0.01, 86400.0));
  number("--requests", given.requests, "Requests to send, instead of a duration")
      ->check(CLI::PositiveNumber)
      ->excludes(duration);
  number("--timeout", given.timeout, "Seconds to wait for an answer")->check(CLI::Range(0.01, 3600.0));
  number("--cores", given.cores, "Cores to use; 0: all")->check(CLI::Range(0, 1024));
  number("--status", given.status, "Status that answers should have")->check(CLI::Range(100, 599));
  app.add_flag("--head", given.is_head, "Send HEAD instead of GET");
  app.add_flag("--lengths-vary", given.lengths_vary, "Bodies need not all have the same length");
  app.add_flag("--json", given.wants_json, "Print one line of JSON");
  app.add_flag("--stats", given.wants_statistics, "Print what each core did");
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& ended) {
    std::exit(app.exit(ended) == 0 ? 0 : 2);
  }
  return given;
}

void fill(http_load::plan& orders, const arguments& given) {
  const http_load::url target = http_load::parse_url(given.address);
  orders.where = http_load::resolve(target);
  orders.request = (given.is_head ? "HEAD " : "GET ") + target.target + " HTTP/1.1\r\nHost: " + target.authority +
                   "\r\nUser-Agent: weft http_load\r\n\r\n";
  orders.is_head = given.is_head;
  orders.lengths_vary = given.lengths_vary;
  orders.status = given.status;
  orders.depth = given.depth;
  orders.answer_time = std::chrono::duration_cast<std::chrono::nanoseconds>(seconds(given.timeout));
  if (given.requests > 0) {
    orders.requests_left = given.requests;
  } else {
    orders.end = seconds(given.duration);
  }
}

// A line each second, as long as someone watches.
void show_progress(const http_load::totals& results) {
  std::uint64_t before = 0;
  for (int second = 1;; ++second) {
    weft::this_fiber::sleep_for(1s);
    const std::uint64_t now = results.answers();
    std::fprintf(stderr, "\r%4d s %10ju requests/s %8ju errors ", second, static_cast<std::uintmax_t>(now - before),
                 static_cast<std::uintmax_t>(results.failures()));
    before = now;
  }
}

// Returns the seconds that it took.
double load(http_load::plan& orders, http_load::totals& results, std::size_t connections) {
  const bool is_watched = ::isatty(STDERR_FILENO) == 1;
  std::optional<weft::fiber<void>> progress;
  if (is_watched) progress = weft::spawn({.name = "progress"}, [&] { show_progress(results); });
  const auto start = std::chrono::steady_clock::now();
  std::vector<weft::fiber<void>> clients;
  for (std::size_t i = 0; i < connections; ++i) {
    clients.push_back(weft::spawn({.name = "client"}, [&] { http_load::client(orders, results).run(); }));
  }
  for (auto& client : clients) client.join();
  const seconds taken = std::chrono::steady_clock::now() - start;
  if (is_watched) std::fputs("\r\033[K", stderr);
  return taken.count();
}

int run(const arguments& given) {
  http_load::plan orders;
  fill(orders, given);
  raise_descriptor_limit(given.connections + other_descriptors);
  weft::options wanted;
  if (given.cores > 0) wanted.cores = given.cores;
  weft::runtime cores(wanted);
  http_load::totals results(cores.cores());
  const double taken = cores.spawn([&] { return load(orders, results, given.connections); }).join();
  const weft::runtime_statistics statistics = cores.statistics();
  const http_load::report report{given.connections, given.depth, taken, results, statistics};
  std::fputs((given.wants_json ? to_json(report) : to_text(report)).c_str(), stdout);
  if (given.wants_statistics && !given.wants_json) print_core_table(statistics);
  return results.answers() > 0 && results.failures() == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  const arguments given = parse_arguments(count, words);
  try {
    return run(given);
  } catch (const std::invalid_argument& wrong) {
    std::fprintf(stderr, "http_load: %s\n", wrong.what());
    return 2;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "http_load: %s\n", failed.what());
    return 1;
  }
}
