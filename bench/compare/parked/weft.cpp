// A million fibers parked at once, each on a guarded stack of its own, against a bare loop that only guards and touches
// as many pages. Usage: weft [FIBERS] [CORES] [ROUNDS]. Prints times, their ratio, and memory per fiber, page tables
// included. Rounds alternate in one process: the memory is warm for both after the first.
#include <weft/weft.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Kilobytes of a line of /proc/self/status.
long status_kb(const char* field) {
  std::FILE* const f = std::fopen("/proc/self/status", "r");
  char line[256];
  long kb = 0;
  while (f != nullptr && std::fgets(line, sizeof line, f) != nullptr) {
    if (std::strncmp(line, field, std::strlen(field)) == 0) kb = std::atol(line + std::strlen(field) + 1);
  }
  if (f != nullptr) std::fclose(f);
  return kb;
}

long memory_kb() { return status_kb("VmRSS") + status_kb("VmPTE"); }

struct figures {
  double seconds;
  double kib_each;
};

figures park_fibers(std::size_t count, std::size_t cores) {
  weft::options wanted;
  wanted.cores = cores;
  return weft::run(wanted, [count] {
    weft::mutex m;
    weft::condition_variable go;
    weft::condition_variable all_there;
    std::size_t parked = 0;
    bool open = false;
    std::vector<weft::fiber<void>> fibers;
    fibers.reserve(count);
    const long before = memory_kb();
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      fibers.push_back(weft::spawn([&] {
        std::unique_lock hold(m);
        if (++parked == count) all_there.notify_one();
        go.wait(hold, [&] { return open; });
      }));
    }
    std::unique_lock hold(m);
    all_there.wait(hold, [&] { return parked == count; });
    const figures result{seconds_since(begin), double(memory_kb() - before) / double(count)};
    open = true;
    go.notify_all();
    hold.unlock();
    for (auto& f : fibers) f.join();
    return result;
  });
}

// The floor: guards in batches by one system call each, and one touched page a stack.
double guard_and_touch(std::size_t count) {
  constexpr std::size_t stride = 128 << 10;
  constexpr std::size_t guard = 64 << 10;
  constexpr int install_guard = 102;
  constexpr std::size_t batch = 32;
  auto* const low = static_cast<char*>(
      mmap(nullptr, count * stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (low == MAP_FAILED) return 0;
  madvise(low, count * stride, MADV_NOHUGEPAGE);
  const int self = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t first = 0; first < count; first += batch) {
    iovec guards[batch];
    const std::size_t n = std::min(batch, count - first);
    for (std::size_t i = 0; i < n; ++i) guards[i] = {low + (first + i) * stride, guard};
    if (syscall(SYS_process_madvise, self, guards, n, install_guard, 0) < 0) {
      for (std::size_t i = 0; i < n; ++i) madvise(guards[i].iov_base, guard, install_guard);
    }
    for (std::size_t i = 0; i < n; ++i) low[(first + i + 1) * stride - 64] = 1;
  }
  const double seconds = seconds_since(begin);
  close(self);
  munmap(low, count * stride);
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
  const std::size_t cores = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
  std::vector<double> ratios;
  for (int r = 0; r < rounds; ++r) {
    const double floor = guard_and_touch(count);
    const figures weft = park_fibers(count, cores);
    std::printf("parked fibers=%zu cores=%zu weft=%.2f s bare=%.2f s ratio=%.2f memory=%.2f KiB each\n", count, cores,
                weft.seconds, floor, weft.seconds / floor, weft.kib_each);
    ratios.push_back(weft.seconds / floor);
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("parked ratio median=%.2f min=%.2f max=%.2f\n", ratios[ratios.size() / 2], ratios.front(), ratios.back());
}
