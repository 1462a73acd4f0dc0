// The acts whose instructions are counted: one fiber runtime on one core, which never looks for work while idle.
// Usage: acts ACT COUNT. Two counts tell what one act takes: the start and the end of the program cancel out.
#include <weft/weft.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using count_type = unsigned long;

void yield(count_type count) {
  weft::with_scope([count](weft::scope& pair) {
    for (int i = 0; i < 2; ++i) {
      pair.spawn([count] {
        for (count_type turn = 0; turn < count / 2; ++turn) weft::this_fiber::yield();
      });
    }
  });
}

void spawn_join(count_type count) {
  for (count_type i = 0; i < count; ++i) weft::spawn([] {}).join();
}

void fork(count_type count) {
  count_type sum = 0;
  for (count_type i = 0; i < count; ++i) {
    const auto [a, b] = weft::gather([i] { return i; }, [] { return count_type{1}; });
    sum += a + b;
  }
  if (sum == 0 && count != 0) std::abort();
}

void channel_hop(count_type count) {
  weft::channel<count_type> hop;
  auto receiver = weft::spawn([&hop] {
    while (hop.receive()) {
    }
  });
  for (count_type i = 0; i < count; ++i) hop.send(count_type{i});
  hop.close();
  receiver.join();
}

// Client and server are fibers of the same core.
void echo(count_type count) {
  weft::net::tcp_listener listener{weft::net::endpoint("127.0.0.1:0")};
  auto server = weft::spawn([&listener] {
    weft::net::tcp_stream peer = listener.accept();
    std::array<std::byte, 512> buffer;
    while (const std::size_t n = peer.read(buffer)) peer.write(std::span(buffer).first(n));
  });
  weft::net::tcp_stream self = weft::net::tcp_stream::connect(listener.local_endpoint());
  std::array<std::byte, 512> message{};
  for (count_type i = 0; i < count; ++i) {
    self.write(message);
    if (self.read_exactly(message) != message.size()) std::abort();
  }
  self.close();
  server.join();
}

struct act {
  std::string_view name;
  void (*repeat)(count_type count);
};

constexpr std::array<act, 5> acts{
    {{"yield", yield}, {"spawn_join", spawn_join}, {"fork", fork}, {"channel_hop", channel_hop}, {"echo", echo}}};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    for (const act& each : acts) {
      if (each.name != argv[1]) continue;
      weft::run({.cores = 1, .reactor = weft::reactor_mode::inlined, .spin = std::chrono::nanoseconds(0)},
                [&] { each.repeat(std::strtoul(argv[2], nullptr, 10)); });
      return 0;
    }
  }
  std::fprintf(stderr, "usage: acts yield|spawn_join|fork|channel_hop|echo COUNT\n");
  return 2;
}
