// Passes on what each guest writes to all of them. Two fibers a guest: one reads lines, one writes news.
//   chat_server [PORT]        then, elsewhere and more than once: nc 127.0.0.1 7778
#include <weft/weft.h>

#include <array>
#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_line = 1000;
constexpr std::size_t kept_messages = 256;  // A guest who is further behind misses the oldest.
constexpr auto patience = 10min;            // With a guest who does not say anything.
constexpr auto writing_time = 20s;          // In which a guest must take a message.

using room = weft::broadcast<std::string>;

// Hands each line to `out`, without its end; returns where the guest has gone.
void read_lines(weft::net::tcp_stream& from, weft::channel<std::string>& out) {
  std::array<std::byte, 512> buffer;
  std::string line;
  while (const std::size_t size = from.read(buffer)) {
    for (const std::byte each : std::span(buffer).first(size)) {
      const char c = static_cast<char>(each);
      if (c == '\n') {
        out.send(std::exchange(line, {}));
      } else if (c != '\r' && line.size() < longest_line) {
        line += c;
      }
    }
  }
}

// Throws: std::system_error where the connection broke, or the guest did not take it in time.
void tell(weft::net::tcp_stream& guest, std::string_view text) {
  const auto limit = std::chrono::steady_clock::now() + writing_time;
  guest.write(text, limit);
  // The system may find room for one message more whenever it is asked again, though the guest has read nothing.
  if (std::chrono::steady_clock::now() >= limit) throw std::system_error(std::make_error_code(std::errc::timed_out));
}

// Talks with one guest until it leaves, or says nothing for too long.
void attend(room& here, weft::net::tcp_stream& guest, const std::string& name) {
  weft::channel<std::string> lines;
  weft::basic_reader<std::string> news = here.subscribe();
  auto listening = weft::spawn([&] { read_lines(guest, lines); });
  here.send("* " + name + " comes in\n");
  weft::deadline silence = patience;
  const auto pass_on = [&](std::optional<std::string> line) {
    silence = patience;
    if (line) here.send(name + ": " + *line + "\n");
  };
  const auto show = [&](std::optional<std::string> text) {
    if (text) tell(guest, *text);
  };
  bool stays = true;
  const auto see_off = [&] {
    stays = false;
    listening.join();  // Throws what ended the reading.
  };
  const auto send_off = [&] {
    stays = false;
    tell(guest, "* good night\n");
  };
  while (stays) {
    try {
      weft::select(weft::on_receive(lines, pass_on), weft::on_receive(news, show), weft::on_join(listening, see_off),
                   weft::on_timeout(silence, send_off));
    } catch (const weft::lagged& gap) {
      tell(guest, "* you missed " + std::to_string(gap.missed()) + " messages\n");
    }
  }
}

void welcome(room& here, weft::net::tcp_stream guest, std::string name) {
  try {
    attend(here, guest, name);
  } catch (const std::system_error&) {
    // The connection broke: as if the guest had left.
  }
  here.send("* " + name + " leaves\n");
}

}  // namespace

int main(int argc, char** argv) try {
  const weft::net::endpoint where("127.0.0.1:" + std::string(argc > 1 ? argv[1] : "7778"));
  room here(kept_messages);
  weft::run([&] {
    weft::net::tcp_listener listener(where);
    std::cout << "chatting on " << listener.local_endpoint() << std::endl;
    for (unsigned guest = 1;; ++guest) {
      weft::spawn_detached(welcome, std::ref(here), listener.accept(), "guest " + std::to_string(guest));
    }
  });
} catch (const std::exception& error) {
  std::cerr << "chat_server: " << error.what() << '\n';
  return 1;
}
