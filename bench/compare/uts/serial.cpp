// Plain calls: the floor.
#include "../support/fork_join.h"
#include "../support/race.h"

int main(int argc, char** argv) {
  const race::order what(argc, argv, "fork", 2000);
  const auto result = race::measured([&] { return race::tree::count_all(what.size); });
  return race::report("uts", "serial", what, result.check, result, result.check);
}
