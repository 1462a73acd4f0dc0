// The production reactor, its descriptors and their slots on whole cores, with a kernel of the model below them. The
// monitor, which asks a reactor thread to stand in for a worker that is stuck, is played by a thread that asks at any
// time.
#include "scenario.h"

#include "mc/shims/kernel_model.h"
#include "model_options.h"
#include "reactor/descriptor.h"
#include "scheduler/scheduler.h"

#include <weft/fiber.h>
#include <weft/spawn.h>
#include <weft/this_fiber.h>

#include <optional>

namespace weft_mc {
namespace {

using namespace weft::detail;
using weft::reactor_mode;

weft::options options_for(reactor_mode mode) {
  weft::options wanted = model_options();
  wanted.reactor = mode;
  return wanted;
}

// As the runtime puts it together.
class machine {
 public:
  machine(std::size_t cores, reactor_mode mode)
      : scheduler_(options_for(mode), topology::flat(std::vector<int>(cores, 0))), slots_(*new slot_table(scheduler_)) {
    kernel::begin();
    for (const auto& c : scheduler_.cores) c->events = std::make_unique<reactor>(*c, slots_, mode);
    for (const auto& c : scheduler_.cores) reactor_of(*c).start([] {});
    scheduler_.start([](core&) {});
  }
  ~machine() {
    scheduler_.stop();
    for (const auto& c : scheduler_.cores) reactor_of(*c).stop();
    slots_.abandon();
  }

  template <class F>
  weft::fiber<void> spawn(F f) {
    return weft::spawn_in(reinterpret_cast<weft::runtime*>(&scheduler_), nullptr, weft::source_location::current(),
                          std::move(f));
  }
  void stand_in(std::size_t core) { scheduler_.cores[core]->events->stand_in(); }

 private:
  static reactor& reactor_of(core& c) { return static_cast<reactor&>(*c.events); }

  scheduler scheduler_;
  slot_table& slots_;
};

std::ptrdiff_t read(descriptor& d, std::size_t most, std::int64_t deadline = never) {
  return d.perform(direction::read, deadline, most, [most](int fd) noexcept { return kernel::receive(fd, most); });
}
std::ptrdiff_t write(descriptor& d) {
  return d.perform(direction::write, never, 0, [](int fd) noexcept { return kernel::send(fd); });
}

descriptor adopted(int fd) {
  descriptor d;
  mc::expect(descriptor::adopt(fd, d) == 0, "adopted");
  return d;
}

constexpr std::size_t some = 300;

void one_read(reactor_mode mode) {
  machine m(1, mode);
  const socket peer = kernel::open_socket();
  int content = 0;
  auto reader = m.spawn([&] {
    descriptor d = adopted(peer.fd);
    mc::expect(read(d, 1) == 1, "a byte");
    mc::expect(content == 1, "what its sender did before is seen");
  });
  together(
      [&] {
        content = 1;
        kernel::arrive(peer, 1);
      },
      [&] { m.stand_in(0); });
  reader.join();
}

WEFT_SCENARIO(
    "reactor: a read waits, the worker and its stand-in lead in turn", [] { one_read(reactor_mode::adaptive); }, 0, 0,
    0, some);
WEFT_SCENARIO(
    "reactor: a read waits, a thread of its own leads for good", [] { one_read(reactor_mode::dedicated); }, 0, 0, 0,
    some);
WEFT_SCENARIO(
    "reactor: a read waits, only the worker leads", [] { one_read(reactor_mode::inlined); }, 0, 0, 0, some);

WEFT_SCENARIO(
    "reactor: asked to stand in again and again",
    [] {
      machine m(1, reactor_mode::adaptive);
      const socket peer = kernel::open_socket();
      auto reader = m.spawn([&] {
        descriptor d = adopted(peer.fd);
        for (int i = 0; i < 2; ++i) {
          mc::expect(read(d, 1) == 1, "a byte");
          weft::this_fiber::yield();
        }
      });
      together(
          [&] {
            kernel::arrive(peer, 1);
            kernel::arrive(peer, 1);
          },
          [&] {
            m.stand_in(0);
            m.stand_in(0);
          });
      reader.join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "reactor: a fiber injected from outside beside an event",
    [] {
      machine m(1, reactor_mode::adaptive);
      const socket peer = kernel::open_socket();
      auto reader = m.spawn([&] {
        descriptor d = adopted(peer.fd);
        mc::expect(read(d, 1) == 1, "a byte");
      });
      std::optional<weft::fiber<void>> other;
      together([&] { kernel::arrive(peer, 1); },
               [&] {
                 m.stand_in(0);
                 other.emplace(m.spawn([] {}));
               });
      other->join();
      reader.join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "reactor: the stream ends with the last bytes",
    [] {
      machine m(1, reactor_mode::adaptive);
      const socket peer = kernel::open_socket();
      auto reader = m.spawn([&] {
        descriptor d = adopted(peer.fd);
        std::ptrdiff_t got = 0;
        while (const std::ptrdiff_t n = read(d, 4)) got += n;
        mc::expect(got == 2, "all that was sent");
      });
      together(
          [&] {
            kernel::arrive(peer, 2);
            kernel::end_stream(peer);
          },
          [&] { m.stand_in(0); });
      reader.join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "reactor: two cores, one reads and one writes",
    [] {
      machine m(2, reactor_mode::adaptive);
      const socket peer = kernel::open_socket();
      descriptor d;
      m.spawn([&] { d = adopted(peer.fd); }).join();
      auto reader = m.spawn([&] { mc::expect(read(d, 1) == 1, "a byte"); });
      auto writer = m.spawn([&] { mc::expect(write(d) == 1, "there is room"); });
      together(
          [&] {
            kernel::arrive(peer, 1);
            kernel::make_room(peer);
          },
          [&] {
            m.stand_in(0);
            m.stand_in(1);
          });
      reader.join();
      writer.join();
      m.spawn([&] { d.close(); }).join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "reactor: closed while a read waits, on two cores",
    [] {
      machine m(2, reactor_mode::adaptive);
      const socket peer = kernel::open_socket();
      descriptor d;
      m.spawn([&] { d = adopted(peer.fd); }).join();
      auto reader = m.spawn([&] {
        const std::ptrdiff_t got = read(d, 1);
        mc::expect(got == 1 || got == -EBADF, "a byte, or closed");
      });
      auto closer = m.spawn([&] { d.close(); });
      together([&] { kernel::arrive(peer, 1); }, [&] { m.stand_in(0); });
      reader.join();
      closer.join();
      mc::expect(kernel::close(peer.fd) == -EBADF, "the number was closed");
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "reactor: a slot and a number are used again beside a late event",
    [] {
      machine m(1, reactor_mode::adaptive);
      const socket peer = kernel::open_socket();
      socket again;
      atomic<bool> is_open{false};
      auto reader = m.spawn([&] {
        {
          descriptor first = adopted(peer.fd);
          const std::ptrdiff_t got = read(first, 1, mc::clock_now() + 1'000);
          mc::expect(got == 1 || got == -ETIMEDOUT, "a byte, or too late");
        }
        again = kernel::open_socket();
        descriptor second = adopted(again.fd);
        is_open.store(true, release);
        mc::expect(read(second, 2) == 2, "bytes of the second one");
      });
      together([&] { kernel::arrive(peer, 1); },
               [&] {
                 m.stand_in(0);
                 while (!is_open.load(acquire)) spin_pause();
                 kernel::arrive(again, 2);
               });
      reader.join();
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "reactor: a read is cancelled beside its event",
    [] {
      machine m(1, reactor_mode::adaptive);
      const socket peer = kernel::open_socket();
      auto reader = m.spawn([&] {
        descriptor d = adopted(peer.fd);
        const std::ptrdiff_t got = read(d, 1);
        mc::expect(got == 1 || got == -ECANCELED, "a byte, or cancelled");
      });
      together([&] { kernel::arrive(peer, 1); }, [&] { reader.cancel(); }, [&] { m.stand_in(0); });
      try {
        reader.join();
      } catch (const weft::join_cancelled&) {
      }
    },
    0, 0, 0, some);

WEFT_SCENARIO(
    "reactor: a lent number has its next owner as soon as its watch has ended",
    [] {
      machine m(2, reactor_mode::adaptive);
      const socket peer = kernel::open_socket();
      socket again;
      descriptor watched;
      m.spawn([&] { mc::expect(descriptor::borrow(peer.fd, watched) == 0, "lent"); }).join();
      atomic<bool> is_open{false};
      auto waits = m.spawn([&] {
        int error = 0;
        while (error == 0) error = watched.wait(direction::read, never);
        mc::expect(error == EBADF, "its watch has ended");
      });
      auto owner = m.spawn([&] {
        watched.close();
        kernel::close(peer.fd);
        again = kernel::open_socket();
        mc::expect(again.fd == peer.fd, "the same number");
        descriptor next = adopted(again.fd);
        is_open.store(true, release);
        mc::expect(read(next, 1) == 1, "a byte of the next owner's");
      });
      while (!is_open.load(acquire)) spin_pause();
      kernel::arrive(again, 1);
      waits.join();
      owner.join();
    },
    0, 0, 0, some);

}  // namespace
}  // namespace weft_mc
