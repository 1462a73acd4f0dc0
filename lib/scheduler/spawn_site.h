// Where a fiber was spawned, for others to read while a new fiber may be made in the same place.
#pragma once

#include <weft/detail/atomic.h>
#include <weft/detail/source_location.h>

namespace weft::inline v0::detail {

#ifdef __cpp_lib_source_location

class spawn_site {
 public:
  void store(source_location site) noexcept { site_.store(site, relaxed); }
  source_location load() const noexcept { return site_.load(relaxed); }

 private:
  atomic<source_location> site_;
};

#else

// In parts, which may be of two fibers: whoever reads while they may change checks afterwards, see record_look.h.
class spawn_site {
 public:
  void store(const source_location& site) noexcept {
    file_.store(site.file_name(), relaxed);
    function_.store(site.function_name(), relaxed);
    line_.store(site.line(), relaxed);
  }
  source_location load() const noexcept {
    return source_location::current(file_.load(relaxed), function_.load(relaxed), line_.load(relaxed));
  }

 private:
  atomic<const char*> file_;
  atomic<const char*> function_;
  atomic<std::uint_least32_t> line_;
};

#endif

}  // namespace weft::inline v0::detail
