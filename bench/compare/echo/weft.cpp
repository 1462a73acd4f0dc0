// TCP echo on weft. Usage: weft PORT [CORES] [adaptive|dedicated|inlined]. Runs until it is killed.
#include <weft/weft.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void serve(weft::net::tcp_stream peer) {
  std::array<std::byte, 4096> buffer;
  std::error_code error;
  for (;;) {
    const std::size_t n = peer.read(buffer, error);
    if (error || n == 0) return;
    peer.write(std::span<const std::byte>(buffer).first(n), error);
    if (error) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string address = std::string("127.0.0.1:") + (argc > 1 ? argv[1] : "0");
  weft::options wanted;
  wanted.cores = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  if (argc > 3 && std::strcmp(argv[3], "dedicated") == 0) wanted.reactor = weft::reactor_mode::dedicated;
  if (argc > 3 && std::strcmp(argv[3], "inlined") == 0) wanted.reactor = weft::reactor_mode::inlined;
  weft::run(wanted, [&address] {
    weft::net::tcp_listener listener{weft::net::endpoint(address)};
    std::printf("listening on %s\n", listener.local_endpoint().to_string().c_str());
    std::fflush(stdout);
    for (;;) weft::spawn_detached([peer = listener.accept()]() mutable { serve(std::move(peer)); });
  });
}
