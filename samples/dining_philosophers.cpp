// Philosophers at a round table think and eat. Each needs the forks on both sides, which the neighbours need, too.
//
// usage: dining_philosophers [PHILOSOPHERS [MEALS]]
#include <weft/weft.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace {

struct dinner {
  explicit dinner(std::size_t philosophers) : forks(philosophers), seated(philosophers) {}

  std::vector<weft::mutex> forks;
  weft::barrier<> seated;  // Nobody begins before all have sat down.
  struct record {
    std::size_t eating = 0, most_at_once = 0, meals = 0;
  };
  weft::guarded<record> book;
};

void dine(dinner& table, std::size_t seat, std::size_t meals) {
  weft::mutex& left = table.forks[seat];
  weft::mutex& right = table.forks[(seat + 1) % table.forks.size()];
  table.seated.arrive_and_wait();
  for (std::size_t meal = 0; meal < meals; ++meal) {
    weft::this_fiber::yield();  // Thinks.
    // Takes both or waits with neither: who held one and waited for the other could wait for ever.
    const std::scoped_lock both(left, right);
    table.book.with([](dinner::record& r) { r.most_at_once = std::max(r.most_at_once, ++r.eating); });
    weft::this_fiber::yield();  // Eats. The forks stay taken while others run.
    table.book.with([](dinner::record& r) {
      --r.eating;
      ++r.meals;
    });
  }
}

std::size_t number(const char* text, std::size_t least, std::size_t most) {
  const char* const end = text + std::strlen(text);
  std::size_t value = 0;
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc{} || stop != end || value < least || value > most) {
    throw std::invalid_argument("'" + std::string(text) + "' is no number from " + std::to_string(least) + " to " +
                                std::to_string(most));
  }
  return value;
}

}  // namespace

int main(int argument_count, char** arguments) try {
  if (argument_count > 3) throw std::invalid_argument("usage: dining_philosophers [PHILOSOPHERS [MEALS]]");
  const std::size_t philosophers = argument_count > 1 ? number(arguments[1], 2, 10'000) : 5;
  const std::size_t meals = argument_count > 2 ? number(arguments[2], 1, 1'000'000) : 100;
  return weft::run([=] {
    dinner table(philosophers);
    std::vector<weft::fiber<void>> guests;
    for (std::size_t seat = 0; seat < philosophers; ++seat) {
      guests.push_back(weft::spawn([&table, seat, meals] { dine(table, seat, meals); }));
    }
    for (auto& guest : guests) guest.join();
    const auto book = table.book.lock();
    std::printf("%zu philosophers had %zu meals, at most %zu at once\n", philosophers, book->meals, book->most_at_once);
    return book->meals == philosophers * meals && book->most_at_once <= philosophers / 2 ? 0 : 1;
  });
} catch (const std::invalid_argument& wrong) {
  std::fprintf(stderr, "dining_philosophers: %s\n", wrong.what());
  return 2;
} catch (const std::exception& failed) {
  std::fprintf(stderr, "dining_philosophers: %s\n", failed.what());
  return 1;
}
