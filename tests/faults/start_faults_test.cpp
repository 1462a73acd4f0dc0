// A runtime for which the n-th call into the system fails as it starts, for every n: it works all the same, or says why
// not; and either way nothing is left.
#include "faults/injected_faults.h"
#include "support/with_cores.h"

#include <linux/futex.h>

#include <cerrno>

namespace weft_test {
namespace {

using calls = weft::detail::system_calls;

void refuse_resources(calls& table) {
  refuse<&calls::epoll_create1, EMFILE>(table);
  refuse<&calls::eventfd, ENFILE>(table);
  refuse<&calls::open, EMFILE>(table);
  refuse<&calls::openat, EMFILE>(table);
  refuse<&calls::fcntl, EMFILE>(table);
  refuse<&calls::fstat, ENOMEM>(table);
  refuse<&calls::mmap, ENOMEM>(table);
  refuse<&calls::mprotect, ENOMEM>(table);
  refuse<&calls::madvise, ENOMEM>(table);
  refuse<&calls::process_madvise, ENOSYS>(table);
  refuse<&calls::pidfd_open, EMFILE>(table);
  refuse<&calls::membarrier, ENOSYS>(table);
  refuse<&calls::sched_setaffinity, EINVAL>(table);
  refuse<&calls::sched_getaffinity, EINVAL>(table);
  table.epoll_ctl = [](int queue, int operation, int fd, epoll_event* event) noexcept {
    if (operation == EPOLL_CTL_ADD && fault_is_due()) return -ENOMEM;
    return weft::detail::real_system_calls().epoll_ctl(queue, operation, fd, event);
  };
}

// Whether a runtime could be had.
bool starts_and_works(const weft::options& wanted) {
  try {
    weft::runtime here(wanted);
    EXPECT_EQ(here.spawn([] { return weft::spawn([] { return 42; }).join(); }).join(), 42);
    return true;
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("weft"), std::string::npos) << error.what();
    EXPECT_NE(error.code(), std::error_code());
  } catch (const std::bad_alloc&) {
  }
  return false;
}

void expect_as_before(const footprint& before) {
  EXPECT_TRUE(eventually([&] { return footprint::now().holds_no_more_than(before); }))
      << footprint::now() << ", but before " << before;
}

class start_faults : public ::testing::TestWithParam<weft::reactor_mode> {
 protected:
  void SetUp() override {
    weft::run([] {});
  }  // What is made once for the process is no leak.
  static weft::options wanted() {
    weft::options result;
    result.cores = 2;
    result.reactor = GetParam();
    return result;
  }
};

TEST_P(start_faults, every_refusal_is_survived_or_told) {
  const replaced_system_calls faulty{&refuse_resources};
  const footprint before = footprint::now();
  int told = 0;
  for_every_fault(500, [&] {
    if (!starts_and_works(wanted())) ++told;
    expect_as_before(before);
  });
  EXPECT_GT(told, 0) << "not one refusal kept the runtime from starting";
}

TEST_P(start_faults, many_refusals_at_once) {
  const replaced_system_calls faulty{&refuse_resources};
  const footprint before = footprint::now();
  with_random_faults(10, [&] {
    for (int i = 0; i < 50; ++i) starts_and_works(wanted());
  });
  expect_as_before(before);
}

INSTANTIATE_TEST_SUITE_P(each_reactor, start_faults,
                         ::testing::Values(weft::reactor_mode::adaptive, weft::reactor_mode::dedicated,
                                           weft::reactor_mode::inlined));

bool is_futex_wait(int operation) noexcept {
  const int kind = operation & FUTEX_CMD_MASK;
  return kind == FUTEX_WAIT || kind == FUTEX_WAIT_BITSET;
}

// Waits that the kernel ends early, for a signal or for nothing.
TEST(wait_faults, are_no_wakes) {
  const replaced_system_calls faulty{[](calls& table) {
    refuse<&calls::epoll_pwait2, EINTR>(table);
    refuse<&calls::poll, EINTR>(table);
    table.futex = [](const void* word, int operation, std::uint32_t value, const timespec* timeout,
                     std::uint32_t mask) noexcept {
      if (is_futex_wait(operation) && fault_is_due()) return -EINTR;
      return weft::detail::real_system_calls().futex(word, operation, value, timeout, mask);
    };
  }};
  with_random_faults(2, [] {
    for (const weft::reactor_mode mode :
         {weft::reactor_mode::adaptive, weft::reactor_mode::dedicated, weft::reactor_mode::inlined}) {
      run_under({2, weft::migration::free, mode}, [] {
        weft::channel<int> there, back;
        auto other = weft::spawn([&] {
          for (const int n : there) back.send(n + 1);
        });
        for (int i = 0; i < 50; ++i) {
          there.send(i);
          EXPECT_EQ(back.receive(), i + 1);
          const auto begin = std::chrono::steady_clock::now();
          weft::this_fiber::sleep_for(100us);
          EXPECT_GE(std::chrono::steady_clock::now() - begin, 100us);
        }
        there.close();
        other.join();
      });
    }
  });
}

}  // namespace
}  // namespace weft_test
