// A fiber that ends only by cancellation, and says so.
#pragma once

#include <weft/event.h>
#include <weft/this_fiber.h>

#include <chrono>

namespace weft_test {

inline void sleep_until_told(weft::event& sleeps, weft::event& told) {
  struct at_end {
    weft::event& event;
    ~at_end() { event.set(); }
  } const tell{told};
  sleeps.set();
  weft::this_fiber::sleep_for(std::chrono::hours::max());
}

}  // namespace weft_test
