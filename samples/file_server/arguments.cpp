#include "arguments.h"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdlib>
#include <map>
#include <stdexcept>

namespace file_server {

namespace {

using seconds = std::chrono::duration<double>;

// Takes a length of time in seconds, fractions allowed.
void add_time(CLI::App& app, const std::string& name, std::chrono::nanoseconds& into, const std::string& what) {
  app.add_option_function<double>(
         name,
         [&into](const double& given) { into = std::chrono::duration_cast<std::chrono::nanoseconds>(seconds(given)); },
         what + ", in seconds")
      ->check(CLI::Range(0.001, 86400.0))
      ->default_str(std::to_string(std::chrono::duration_cast<std::chrono::seconds>(into).count()))
      ->type_name("S");
}

}  // namespace

arguments parse_arguments(int count, char** words) {
  arguments wanted;
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::size_t cores = 0;
  bool walks = false;
  settings& limits = wanted.limits;

  CLI::App app("Serves the files of a directory over HTTP/1.1, with a fiber for each connection.", "file_server");
  app.add_option("DIR", wanted.folder, "The directory")->required();
  app.add_option("--address", address, "IP address to listen at")->capture_default_str()->type_name("A");
  app.add_option("--port", port, "Port to listen at; 0 lets the system choose")->capture_default_str()->type_name("N");
  app.add_option("--cores", cores, "Cores to use; unset: all")->check(CLI::Range(1, 1024))->type_name("N");
  app.add_option("--reactor", wanted.runtime.reactor, "adaptive, dedicated or inlined")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, weft::reactor_mode>{{"adaptive", weft::reactor_mode::adaptive},
                                                    {"dedicated", weft::reactor_mode::dedicated},
                                                    {"inlined", weft::reactor_mode::inlined}}))
      ->type_name("MODE");
  app.add_flag("--listing", limits.lists_folders, "List folders that have no index.html");
  app.add_flag("--stats", wanted.wants_statistics, "At the end, print what each core did");
  app.add_flag("--no-openat2", walks, "Do not follow symbolic links at all, as where the kernel has no openat2()");
  add_time(app, "--header-time", limits.header_time, "Time for the header of a request");
  add_time(app, "--idle-time", limits.idle_time, "Time between two requests of a connection");
  add_time(app, "--stall-time", limits.stall_time, "Time in which a client must take 30 KiB");
  app.add_option("--requests-per-connection", limits.requests_per_connection, "Then the connection is closed")
      ->capture_default_str()
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  app.add_option("--connections", limits.connections, "Most connections at once")
      ->capture_default_str()
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  try {
    app.parse(count, words);
    wanted.where = weft::net::endpoint(weft::net::ip_address(address), port);
  } catch (const CLI::ParseError& ended) {
    std::exit(app.exit(ended) == 0 ? 0 : 2);
  } catch (const std::invalid_argument& wrong) {
    std::fprintf(stderr, "--address: %s\n", wrong.what());
    std::exit(2);
  }
  if (cores != 0) wanted.runtime.cores = cores;
  if (walks) wanted.way = resolution::component;
  return wanted;
}

}  // namespace file_server
