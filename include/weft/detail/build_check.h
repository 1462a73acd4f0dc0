// Refuses, at link time and by name, a program whose sanitizer is not the one weft was built with.
//
// AddressSanitizer and ThreadSanitizer must see every switch between stacks: a program built with one of them
// on top of a plain weft reports errors that are not there and misses those that are. Every translation unit
// that includes weft refers to one symbol, named after the program's sanitizer, and a build of weft defines
// only the symbol of its own. The linker then says, for example,
//   undefined reference to `weft_built_with_thread_sanitizer'
// Build weft with the same -Db_sanitize as the program (./dev test --tsan shows how).
#pragma once

#include <weft/detail/config.h>

#if defined(WEFT_TSAN)
#define WEFT_BUILD_CHECK weft_built_with_thread_sanitizer
#elif defined(WEFT_ASAN)
#define WEFT_BUILD_CHECK weft_built_with_address_sanitizer
#else
#define WEFT_BUILD_CHECK weft_built_without_sanitizers
#endif

extern "C" WEFT_API const char WEFT_BUILD_CHECK;

namespace weft::inline v0::detail {

// `used` keeps the reference where nothing reads it, and `retain` keeps it from --gc-sections.
[[gnu::used, gnu::retain]] inline const char* const build_check = &WEFT_BUILD_CHECK;

}  // namespace weft::inline v0::detail
