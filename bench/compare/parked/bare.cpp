// The floor: a guard for each stack, installed in batches by one system call each, and one touched page a stack. As with the
// others, memory is that of the first, cold round, and time that of the second, where all is there and is touched again.
#include "../support/memory.h"
#include "../support/race.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace {

constexpr std::size_t stride = 128 << 10;
constexpr std::size_t guard = 64 << 10;
constexpr int install_guard = 102;
constexpr std::size_t batch = 32;

void guard_all(char* low, std::size_t count) {
  const int self = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  for (std::size_t first = 0; first < count; first += batch) {
    iovec guards[batch];
    const std::size_t n = std::min(batch, count - first);
    for (std::size_t i = 0; i < n; ++i) guards[i] = {low + (first + i) * stride, guard};
    if (syscall(SYS_process_madvise, self, guards, n, install_guard, 0) < 0) {
      for (std::size_t i = 0; i < n; ++i) madvise(guards[i].iov_base, guard, install_guard);
    }
  }
  close(self);
}

std::uint64_t touch(char* low, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) ++low[(i + 1) * stride - 64];
  std::uint64_t touched = 0;
  for (std::size_t i = 0; i < count; ++i) touched += low[(i + 1) * stride - 64] != 0;
  return touched;
}

}  // namespace

int main(int argc, char** argv) {
  const race::order what(argc, argv, "parked", 100'000);
  auto* const low = static_cast<char*>(
      mmap(nullptr, what.size * stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (low == MAP_FAILED) return 1;
  madvise(low, what.size * stride, MADV_NOHUGEPAGE);
  const long before = race::memory_kb();
  guard_all(low, what.size);
  touch(low, what.size);
  const long kb = race::memory_kb() - before;
  const auto begin = std::chrono::steady_clock::now();
  race::outcome result{};
  result.check = touch(low, what.size);
  result.seconds = race::seconds_since(begin);
  return race::report("parked", "bare", what, what.size, result, what.size, race::kib_each(kb, double(what.size)));
}
