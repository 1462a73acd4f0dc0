#include "sync/misuse.h"

#include "platform/system_calls.h"
#include "scheduler/cancellation.h"

#include <cstdio>
#include <cstdlib>

namespace weft::inline v0::detail {

void end_for_misuse(const char* what) noexcept {
  char text[512];
  const fiber_record* const f = current_fiber();
  int length = 0;
  if (f != nullptr) {
    length = std::snprintf(text, sizeof text, "%s (fiber %llu \"%.*s\")\n", what,
                           static_cast<unsigned long long>(f->id.load(relaxed)), static_cast<int>(f->name().size()),
                           f->name().data());
  } else {
    length = std::snprintf(text, sizeof text, "%s\n", what);
  }
  sys().write(2, text, static_cast<std::size_t>(length));
  std::abort();
}

void refuse(std::errc why, const std::string& what) { throw std::system_error(std::make_error_code(why), what); }

}  // namespace weft::inline v0::detail
