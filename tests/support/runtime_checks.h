// What the tests of runtimes share.
#pragma once

#include "support/with_cores.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace weft_test {

template <class Call>
std::string refusal_of(Call call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

template <class Call>
std::error_code code_of(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

inline std::string refusal_with(const std::function<void(weft::options&)>& adjust) {
  weft::options wanted;
  adjust(wanted);
  return refusal_of([&] { const weft::runtime never(wanted); });
}

inline bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline weft::options narrow(std::size_t cores = 2) {
  weft::options wanted;
  wanted.cores = cores;
  return wanted;
}

inline std::size_t mappings() {
  std::ifstream file("/proc/self/maps");
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

// Runs `child()` in a fork and says how that ended; a child that hangs is killed by its alarm.
template <class Child>
int exit_code_of_fork(Child child) {
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(30);
    _exit(child());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

}  // namespace weft_test
