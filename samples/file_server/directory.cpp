#include "directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <tuple>

#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

namespace file_server {

namespace {

// Without O_NONBLOCK, opening a named pipe would wait for its writer.
constexpr int reading = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

// A folder on the way needs to be passed through, not read.
#ifdef O_PATH
constexpr int passing = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
constexpr int passing = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif

// A descriptor, or -errno.
int open_by_kernel(int top, const char* name) {
#ifdef SYS_openat2
  open_how how{};
  how.flags = reading;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed while the kernel looked, so it cannot tell inside from outside.
  for (int attempt = 0; attempt < 16; ++attempt) {
    const long number = ::syscall(SYS_openat2, top, name, &how, sizeof how);
    if (number >= 0) return static_cast<int>(number);
    if (errno != EINTR && errno != EAGAIN) return -errno;
  }
  return -EAGAIN;
#else
  static_cast<void>(top), static_cast<void>(name);
  return -ENOSYS;
#endif
}

int open_one(int folder, const char* name, int flags) {
  const int number = ::openat(folder, name, flags | O_NOFOLLOW);
  return number >= 0 ? number : -errno;
}

int open_by_component(int top, const std::string& name) {
  open_file folder;
  std::size_t start = 0;
  for (std::size_t slash; (slash = name.find('/', start)) != name.npos; start = slash + 1) {
    const int from = folder.number() < 0 ? top : folder.number();
    const std::string part = name.substr(start, slash - start);
    const int number = open_one(from, part.c_str(), passing);
    if (number < 0) return number;
    folder = open_file(number);
  }
  return open_one(folder.number() < 0 ? top : folder.number(), name.c_str() + start, reading);
}

}  // namespace

directory::directory(const std::string& path, resolution way)
    : top_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), way_(way) {
  if (top_.number() < 0) throw std::system_error(errno, std::generic_category(), "cannot serve \"" + path + "\"");
  if (way_ == resolution::kernel) {
    const open_file probe(open_by_kernel(top_.number(), "."));
    if (probe.number() < 0) way_ = resolution::component;
  }
}

found_file directory::open(const std::string& name) const {
  const std::string wanted = name.empty() ? "." : name;
  const int number = way_ == resolution::kernel ? open_by_kernel(top_.number(), wanted.c_str())
                                                : open_by_component(top_.number(), wanted);
  found_file found;
  if (number < 0) {
    found.error = -number;
    return found;
  }
  found.file = open_file(number);
  if (::fstat(number, &found.about) != 0) found.error = errno;
  return found;
}

std::vector<directory_entry> entries_of(const open_file& folder) {
  std::vector<directory_entry> entries;
  // closedir() closes the descriptor that it was given, and the position of a duplicate would be shared.
  const int number = ::openat(folder.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> stream(number < 0 ? nullptr : ::fdopendir(number));
  if (stream == nullptr) {
    const int error = errno;
    const open_file unused(number);
    throw std::system_error(error, std::generic_category(), "cannot list a directory");
  }
  while (const dirent* const entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") entries.push_back({name, entry->d_type == DT_DIR});
  }
  std::ranges::sort(entries, [](const directory_entry& a, const directory_entry& b) {
    return std::tuple(!a.is_folder, std::string_view(a.name)) < std::tuple(!b.is_folder, std::string_view(b.name));
  });
  return entries;
}

}  // namespace file_server
