// A control group limits all that is below it, so the limit of a process is the least one on the way from its
// own group to the top. Where that way lies is told by two files: /proc/self/cgroup names the group as seen
// from the top of its hierarchy, /proc/self/mountinfo says which part of a hierarchy is mounted where. In a
// container often only the lower part can be seen; what is above it stays unknown.
#include "platform/cpu_quota.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "platform/system_calls.h"
#include "platform/thread.h"

namespace weft::inline v0::detail {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

enum class hierarchy { none, v1, v2 };

// A place in the file system where a hierarchy, or the part of it below `top`, can be seen.
struct mount {
  hierarchy kind;
  std::string top;
  std::string point;
};

std::string contents_of(const std::string& path) {
  std::string text;
  struct descriptor {
    int number;
    ~descriptor() {
      if (number >= 0) sys().close(number);
    }
  };
  const descriptor file{sys().open(path.c_str(), O_RDONLY | O_CLOEXEC, 0)};
  if (file.number < 0) return text;
  char block[4096];
  for (;;) {
    const ssize_t count = sys().read(file.number, block, sizeof(block));
    if (count == -EINTR) continue;
    if (count <= 0) break;
    text.append(block, static_cast<std::size_t>(count));
  }
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end != 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool lists(std::string_view comma_separated, std::string_view word) {
  const std::vector<std::string_view> words = split(comma_separated, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

// mountinfo writes blanks, tabs, line ends and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t index = 0; index < text.size(); ++index) {
    unsigned code = 0;
    const char* digits = text.data() + index + 1;
    if (text[index] == '\\' && text.size() - index > 3 &&
        std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3) {
      result += static_cast<char>(code);
      index += 3;
    } else {
      result += text[index];
    }
  }
  return result;
}

// A line reads: id parent device top point options [optional fields] - type source options.
std::vector<mount> cgroup_mounts(std::string_view mountinfo) {
  std::vector<mount> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 6 || fields.end() - dash < 4) continue;
    hierarchy kind = hierarchy::none;
    if (dash[1] == "cgroup2") kind = hierarchy::v2;
    if (dash[1] == "cgroup" && lists(dash[3], "cpu")) kind = hierarchy::v1;
    if (kind != hierarchy::none) mounts.push_back({kind, unescaped(fields[3]), unescaped(fields[4])});
  }
  return mounts;
}

// The process's group in the hierarchy `kind`, from the lines "0::path" (v2) and "number:controllers:path" (v1).
std::string group_of(std::string_view cgroup, hierarchy kind) {
  for (const std::string_view line : split(cgroup, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool matches = kind == hierarchy::v2 ? controllers.empty() : lists(controllers, "cpu");
    if (matches) return std::string(line.substr(second + 1));
  }
  return {};
}

// `path` as seen from `top`, "" for `top` itself. Returns false when `path` does not lie below it.
bool below(const std::string& path, const std::string& top, std::string& rest) {
  const std::string prefix = top == "/" ? "" : top;
  if (path.compare(0, prefix.size(), prefix) != 0) return false;
  rest = path.substr(prefix.size());
  if (rest == "/") rest.clear();
  if (!rest.empty() && rest.front() != '/') return false;
  return (rest + '/').find("/../") == rest.npos;
}

double number_in(std::string_view text) {
  long long value = 0;
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc() ? static_cast<double>(value)
                                                                                          : -1;
}

double ratio(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : unlimited;  // "max" and -1 are not above 0.
}

double limit_in(const std::string& directory, hierarchy kind) {
  if (kind == hierarchy::v1) {
    return ratio(number_in(contents_of(directory + "/cpu.cfs_quota_us")),
                 number_in(contents_of(directory + "/cpu.cfs_period_us")));
  }
  const std::string text = contents_of(directory + "/cpu.max");
  const std::vector<std::string_view> words = split(text, ' ');
  if (words.empty()) return unlimited;
  return ratio(number_in(words[0]), words.size() > 1 ? number_in(words[1]) : 100'000);
}

// The least limit of the group `rest` below `point` and of those above it, `point` included.
double limit_on_way(const std::string& point, std::string rest, hierarchy kind) {
  double least = limit_in(point, kind);
  while (!rest.empty()) {
    least = std::min(least, limit_in(point + rest, kind));
    rest.resize(rest.rfind('/'));
  }
  return least;
}

}  // namespace

double cgroup_cpu_quota(std::string_view root) {
  const std::string base(root);
  const std::string cgroup = contents_of(base + "/proc/self/cgroup");
  const std::vector<mount> mounts = cgroup_mounts(contents_of(base + "/proc/self/mountinfo"));
  double least = unlimited;
  for (const hierarchy kind : {hierarchy::v2, hierarchy::v1}) {
    const std::string group = group_of(cgroup, kind);
    double of_kind = unlimited;
    double of_strangers = unlimited;
    bool seen = false;
    for (const mount& place : mounts) {
      std::string rest;
      if (place.kind != kind) continue;
      if (below(group, place.top, rest)) {
        seen = true;
        of_kind = std::min(of_kind, limit_on_way(base + place.point, rest, kind));
      } else {
        of_strangers = std::min(of_strangers, limit_in(base + place.point, kind));
      }
    }
    // A mount whose top does not fit the group's name is what a container gets that names groups otherwise
    // than its host: most likely its own group. It counts only when nothing fits.
    least = std::min(least, seen ? of_kind : of_strangers);
  }
  return least;
}

std::size_t usable_cpus(std::size_t cpus, double quota) noexcept {
  const double limit = std::max(1.0, std::ceil(quota));
  const std::size_t present = std::max<std::size_t>(cpus, 1);
  return limit < static_cast<double>(present) ? static_cast<std::size_t>(limit) : present;
}

std::size_t usable_cpus() { return usable_cpus(original_affinity().size(), cgroup_cpu_quota()); }

}  // namespace weft::inline v0::detail
