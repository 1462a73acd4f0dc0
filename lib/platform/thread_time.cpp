#include "platform/thread_time.h"

#include <cstdio>
#include <string_view>

#include "platform/system_calls.h"

namespace weft::inline v0::detail {

#ifdef __linux__

// The clock of a thread by its number, as the kernel makes it: the processor time that the scheduler counts.
std::int64_t thread_time(std::int32_t thread) noexcept {
  const auto clock = static_cast<clockid_t>((~static_cast<std::uint32_t>(thread) << 3) | 6);
  timespec used{};
  if (sys().clock_gettime(clock, &used) != 0) return 0;
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

bool thread_sleeps(std::int32_t thread) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", static_cast<int>(thread));
  const int fd = sys().open(path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  char text[512];
  const ssize_t size = sys().read(fd, text, sizeof text);
  sys().close(fd);
  const std::string_view all(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t name_end = all.rfind(')');  // The name may hold anything.
  if (name_end == std::string_view::npos || name_end + 2 >= all.size()) return false;
  return all[name_end + 2] == 'S' || all[name_end + 2] == 'D';
}

void signal_thread(std::int32_t thread, int number) noexcept { sys().tgkill(sys().getpid(), thread, number); }

#else

std::int64_t thread_time(std::int32_t) noexcept { return 0; }
bool thread_sleeps(std::int32_t) noexcept { return false; }
void signal_thread(std::int32_t, int) noexcept {}

#endif

}  // namespace weft::inline v0::detail
