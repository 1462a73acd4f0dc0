// The object dies as its wait returns: the one that waits destroys it at once, while the one that woke it is still on its
// way out. Of use under AddressSanitizer and ThreadSanitizer.
//
//   dying_objects [rounds of each kind, or WEFT_DYING_ROUNDS; 2000]
#include <weft/run.h>
#include <weft/weft.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

namespace {

// In a block of its own, so that a late touch is seen.
template <class Object>
struct shared_life {
  std::unique_ptr<Object> object;
  Object* seen;  // By the other side, which must not read the pointer that is being reset.
  template <class... Args>
  explicit shared_life(Args&&... args)
      : object(std::make_unique<Object>(std::forward<Args>(args)...)), seen(object.get()) {}
};

void fail(const char* what) {
  std::fprintf(stderr, "dying_objects: %s\n", what);
  std::abort();
}

// `wake` runs on a child, wherever that is; the caller waits, and destroys as soon as it can.
template <class Life, class Wake, class Wait>
void meet(Life& life, Wake wake, Wait wait) {
  auto other = weft::spawn([seen = life.seen, wake] { wake(*seen); });
  wait(*life.object);
  life.object.reset();
  other.join();
}

void die_mutex() {
  shared_life<weft::mutex> life;
  std::atomic<bool> is_held{false};
  auto other = weft::spawn([seen = life.seen, &is_held] {
    seen->lock();
    is_held = true;
    weft::this_fiber::yield();
    seen->unlock();
  });
  while (!is_held) weft::this_fiber::yield();
  life.object->lock();  // The next owner: it unlocks and destroys while the last one is still leaving unlock().
  life.object->unlock();
  life.object.reset();
  other.join();
}

void die_shared_mutex() {
  shared_life<weft::shared_mutex> life;
  std::atomic<bool> is_held{false};
  auto other = weft::spawn([seen = life.seen, &is_held] {
    const std::shared_lock hold(*seen);
    is_held = true;
    weft::this_fiber::yield();
  });
  while (!is_held) weft::this_fiber::yield();
  life.object->lock();
  life.object->unlock();
  life.object.reset();
  other.join();
}

void die_condition_variable() {
  struct state {
    weft::mutex gate;
    weft::condition_variable told;
    bool flag = false;
  };
  shared_life<state> life;
  meet(
      life,
      [](state& s) {
        const std::lock_guard lock(s.gate);
        s.flag = true;
        s.told.notify_one();
      },
      [](state& s) {
        std::unique_lock lock(s.gate);
        s.told.wait(lock, [&] { return s.flag; });
      });
}

void die_semaphore() {
  shared_life<weft::semaphore> life(std::size_t{0});
  meet(
      life, [](auto& s) { s.release(); }, [](auto& s) { s.acquire(); });
}

void die_event() {
  shared_life<weft::event> life;
  meet(
      life, [](auto& e) { e.set(); }, [](auto& e) { e.wait(); });
}

void die_auto_reset_event() {
  shared_life<weft::auto_reset_event> life;
  meet(
      life, [](auto& e) { e.set(); }, [](auto& e) { e.wait(); });
}

void die_latch() {
  shared_life<weft::latch> life(std::size_t{1});
  meet(
      life, [](auto& l) { l.count_down(); }, [](auto& l) { l.wait(); });
}

void die_barrier() {
  shared_life<weft::barrier<>> life(std::size_t{2});
  meet(
      life, [](auto& b) { static_cast<void>(b.arrive()); }, [](auto& b) { b.arrive_and_wait(); });
}

void die_channel() {
  shared_life<weft::channel<int>> life(std::size_t{1});
  meet(
      life, [](auto& c) { c.send(5); },
      [](auto& c) {
        if (c.receive() != 5) fail("a channel lost its value");
      });
}

void die_rendezvous() {
  shared_life<weft::channel<int>> life(std::size_t{0});
  // Who hands over waits no longer than who receives, and leaves the channel alone when it is woken.
  auto other = weft::spawn([seen = life.seen] { seen->send(5); });
  if (life.object->receive() != 5) fail("a channel lost its value");
  other.join();
  life.object.reset();
}

void die_future() {
  auto to = std::make_unique<weft::promise<int>>();
  std::optional<weft::future<int>> from(to->get_future());
  auto other = weft::spawn([to = std::move(to)] { to->set_value(5); });
  if (from->get() != 5) fail("a future lost its value");
  from.reset();
  other.join();
}

void die_scope() {
  auto crew = std::make_unique<weft::scope>();
  crew->spawn([] {});
  crew->spawn([] { weft::this_fiber::yield(); });
  crew->join();
  crew.reset();
}

void die_handle() {
  auto f = weft::spawn([] { weft::this_fiber::yield(); });
  auto g = weft::spawn([] { return 5; });
  f.join();
  f = {};
  g = {};
}

void die_watch() {
  std::vector<weft::fiber<void>> crowd;
  for (int i = 0; i < 3; ++i) crowd.push_back(weft::spawn([] {}));
  {
    auto view = weft::as_completed(crowd);
    static_cast<void>(view.begin());
  }
  crowd.clear();
}

struct kind {
  const char* name;
  void (*round)();
};

constexpr kind kinds[] = {{"mutex", die_mutex},
                          {"shared_mutex", die_shared_mutex},
                          {"condition_variable", die_condition_variable},
                          {"semaphore", die_semaphore},
                          {"event", die_event},
                          {"auto_reset_event", die_auto_reset_event},
                          {"latch", die_latch},
                          {"barrier", die_barrier},
                          {"channel", die_channel},
                          {"rendezvous", die_rendezvous},
                          {"future", die_future},
                          {"scope", die_scope},
                          {"fiber handle", die_handle},
                          {"as_completed", die_watch}};

// Several fibers at once, so that there is always somebody to take the other half.
void run_rounds(const kind& what, std::size_t rounds) {
  constexpr std::size_t side_by_side = 4;
  std::vector<weft::fiber<void>> crew;
  for (std::size_t i = 0; i < side_by_side; ++i) {
    crew.push_back(weft::spawn([&, i] {
      for (std::size_t k = i; k < rounds; k += side_by_side) what.round();
    }));
  }
  for (auto& each : crew) each.join();
  std::printf("%-20s %zu rounds\n", what.name, rounds);
  std::fflush(stdout);
}

}  // namespace

int main(int argument_count, char** arguments) {
  const char* const wanted = argument_count > 1 ? arguments[1] : std::getenv("WEFT_DYING_ROUNDS");
  const std::size_t rounds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 2'000;
  for (const weft::migration migration : {weft::migration::at_start, weft::migration::free}) {
    weft::options options;
    options.cores = 4;
    options.migration = migration;
    std::printf("4 cores, migration %s\n", migration == weft::migration::free ? "free" : "at_start");
    weft::run(options, [&] {
      for (const kind& each : kinds) run_rounds(each, (rounds + 1) / 2);
    });
  }
}
