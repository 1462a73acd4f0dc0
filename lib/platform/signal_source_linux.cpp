#include "platform/signal_source.h"

#include "platform/signal_set.h"
#include "platform/system_calls.h"

#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

namespace weft::inline v0::detail {

namespace {

// The mask of blocked signals in /proc/self/task/ID/status; all of them where the thread has ended meanwhile.
std::uint64_t blocked_by(const std::string& status_file) noexcept {
  const int fd = sys().open(status_file.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return ~std::uint64_t{0};
  constexpr std::string_view label = "\nSigBlk:\t";
  constexpr std::size_t wanted = label.size() + 16;
  std::array<char, 4096> text;
  std::size_t kept = 0;  // The line may lie far behind, after thousands of groups.
  std::uint64_t mask = ~std::uint64_t{0};
  for (;;) {
    const ssize_t size = sys().read(fd, text.data() + kept, text.size() - kept);
    if (size == -EINTR) continue;
    if (size <= 0) break;
    const std::string_view seen(text.data(), kept + static_cast<std::size_t>(size));
    if (const std::size_t at = seen.find(label); at != seen.npos && seen.size() - at >= wanted) {
      std::from_chars(seen.data() + at + label.size(), seen.data() + at + wanted, mask, 16);
      break;
    }
    kept = std::min(seen.size(), wanted);
    std::memmove(text.data(), seen.data() + seen.size() - kept, kept);
  }
  sys().close(fd);
  return mask;
}

}  // namespace

int open_signal_source(std::span<const int> numbers) noexcept {
  sigset_t wanted;
  if (!set_of_asynchronous(numbers, wanted)) return -EINVAL;
  const int source = sys().signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  if (source >= 0) block_signals(wanted);
  return source;
}

std::int32_t take_signal(int source, pending_signal& out) noexcept {
  signalfd_siginfo info;
  ssize_t size;
  do {
    size = sys().read(source, &info, sizeof info);
  } while (size == -EINTR);
  if (size < 0) return static_cast<std::int32_t>(size);
  out = {.number = static_cast<int>(info.ssi_signo),
         .process = static_cast<std::int32_t>(info.ssi_pid),
         .user = info.ssi_uid,
         .value = info.ssi_int};
  return 1;
}

open_thread find_thread_open_to(std::span<const int> numbers) {
  std::error_code ec;
  const std::filesystem::directory_iterator threads("/proc/self/task", ec);
  if (ec) return {};
  for (auto each = begin(threads); each != end(threads); each.increment(ec)) {
    if (ec) break;
    const std::uint64_t blocked = blocked_by(each->path() / "status");
    for (const int number : numbers) {
      if ((blocked >> (number - 1) & 1) != 0) continue;
      open_thread found{0, number};
      const std::string name = each->path().filename();
      std::from_chars(name.data(), name.data() + name.size(), found.id);
      return found;
    }
  }
  return {};
}

}  // namespace weft::inline v0::detail
