// Sends back what its clients send, each in a fiber of its own.
//   echo_server [PORT]        then, elsewhere: nc 127.0.0.1 7777
#include <weft/net/tcp.h>
#include <weft/run.h>

#include <array>
#include <iostream>
#include <string>

void echo(weft::net::tcp_stream client) {
  std::array<std::byte, 4096> buffer;
  while (const std::size_t size = client.read(buffer)) client.write(std::span(buffer).first(size));
}

int main(int argc, char** argv) try {
  const weft::net::endpoint where("127.0.0.1:" + std::string(argc > 1 ? argv[1] : "7777"));
  weft::run([&] {
    weft::net::tcp_listener listener(where);
    std::cout << "echoing on " << listener.local_endpoint() << std::endl;
    for (;;) weft::spawn_detached(echo, listener.accept());
  });
} catch (const std::exception& error) {
  std::cerr << "echo_server: " << error.what() << '\n';
  return 1;
}
