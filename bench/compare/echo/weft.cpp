// TCP echo, a fiber for each connection; with "hog" one more that computes for ten milliseconds at a time.
// Usage: weft [VARIANT [CORES [SIZE [SETTING]]]]; a setting is adaptive, dedicated, inlined or free. Runs until it is
// killed.
#include "../support/compute.h"
#include "../support/race.h"

#include <weft/weft.h>

#include <array>

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
  const race::order what(argc, argv, "pingpong", 0);
  const std::string_view setting = argc > 4 ? argv[4] : "adaptive";
  weft::options wanted{.cores = what.cores};
  if (setting == "dedicated") wanted.reactor = weft::reactor_mode::dedicated;
  if (setting == "inlined") wanted.reactor = weft::reactor_mode::inlined;
  if (setting == "free") wanted.migration = weft::migration::free;
  weft::run(wanted, [&what] {
    weft::net::tcp_listener listener{weft::net::endpoint("127.0.0.1:0")};
    std::printf("listening on %s\n", listener.local_endpoint().to_string().c_str());
    std::fflush(stdout);
    if (what.variant == "hog") {
      weft::spawn_detached([] {
        for (;; weft::this_fiber::yield()) race::compute_ten_milliseconds();
      });
    }
    for (;;) weft::spawn_detached([peer = listener.accept()]() mutable { serve(std::move(peer)); });
  });
}
