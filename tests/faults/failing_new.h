// operator new of the test program: fails on demand, on the thread that asked for it.
#pragma once

#include <cstdint>

namespace weft_test {

struct failing_new {
  // The n-th allocation from now on of this thread throws std::bad_alloc.
  static void fail_at(std::uint64_t n) noexcept;

  // No allocation of this thread fails or counts meanwhile.
  class pause {
   public:
    pause() noexcept;
    ~pause();
    pause(const pause&) = delete;
    pause& operator=(const pause&) = delete;

   private:
    std::uint64_t wanted_;
  };

  // Returns: how many there were since fail_at().
  static std::uint64_t stop() noexcept;
};

}  // namespace weft_test
