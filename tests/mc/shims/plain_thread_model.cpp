// A record for each thread of the model, made anew in each execution.
#include "scheduler/here.h"
#include "scheduler/plain_thread.h"

#include <weft/mc/blocking.h>
#include <weft/mc/clocks.h>
#include <weft/mc/here_word.h>

#include <new>

namespace weft::inline v0::detail {

namespace {

alignas(64) thread_record records[mc::most_threads];

const bool is_installed = [] {
  mc::here_word::get = [] { return here_word(); };
  mc::here_word::set = [](std::uintptr_t word) { set_here_word(word); };
  return true;
}();

}  // namespace

thread_record& this_thread_record() {
  const std::uintptr_t word = here_word();
  if ((word & 1) != 0) return *reinterpret_cast<thread_record*>(word & ~std::uintptr_t{1});
  if (word != 0 || !is_installed) mc::fail("a worker thread waits outside of its fibers");
  auto* const r = ::new (&records[mc::current_thread()]) thread_record;
  r->is_thread = true;
  set_here_word(reinterpret_cast<std::uintptr_t>(r) | 1);
  return *r;
}

}  // namespace weft::inline v0::detail
