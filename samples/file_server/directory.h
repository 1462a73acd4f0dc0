// A directory out of which no path leads.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

namespace file_server {

// An open file, or none.
class open_file {
 public:
  open_file() noexcept = default;
  explicit open_file(int number) noexcept : number_(number) {}
  open_file(open_file&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  open_file& operator=(open_file&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~open_file() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const noexcept { return number_; }

 private:
  int number_ = -1;
};

struct found_file {
  open_file file;
  struct stat about {};
  int error = 0;  // Or an errno value; EXDEV and ELOOP for a path that leads, or might lead, outside.
};

enum class resolution {
  kernel,     // openat2(): symbolic links work as long as they stay inside.
  component,  // One component after the other: no symbolic link is followed.
};

// Thread safety: all const members may be called at once.
class directory {
 public:
  // `way` falls back to `component` where the kernel has no openat2(), or forbids it.
  // Throws: std::system_error that names the path.
  explicit directory(const std::string& path, resolution way = resolution::kernel);

  // Opens for reading what lies at `name`, which is relative and free of dots; "" is the directory itself.
  found_file open(const std::string& name) const;

  resolution way() const noexcept { return way_; }

 private:
  open_file top_;
  resolution way_;
};

struct directory_entry {
  std::string name;
  bool is_folder;
};

// Everything in `folder` but "." and "..", by name; folders first.
std::vector<directory_entry> entries_of(const open_file& folder);

}  // namespace file_server
