// Of a process that a signal ends gcov writes nothing by itself, and death tests reach lines that no other test can.
#include <csignal>

extern "C" void __gcov_dump();

namespace {

// What is raised here comes on return.
void write_and_die(int number) {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  sigaction(number, &plain, nullptr);
  __gcov_dump();
  std::raise(number);
}

const bool is_installed = [] {
  struct sigaction wanted {};
  wanted.sa_flags = SA_ONSTACK;
  wanted.sa_handler = &write_and_die;
  return sigaction(SIGABRT, &wanted, nullptr) == 0 && sigaction(SIGSEGV, &wanted, nullptr) == 0;
}();

}  // namespace
