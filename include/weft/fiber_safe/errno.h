// <errno.h> for code that runs on fibers.
//
// glibc and musl declare the accessor behind `errno` as a const function, so a compiler may call it once and
// keep the address for the rest of a function. A fiber with migration `free` can come back from a suspension
// on another thread, where that address is somebody else's errno. Here the accessor is an ordinary function:
// every use of `errno` asks again, at the price of the call that the compiler would have saved.
//
// This directory stands first on the include path that weft's pkg-config file and CMake target hand out, so
// that <errno.h> and <cerrno> both come here. It works in C as well.
#pragma GCC system_header

#pragma push_macro("__errno_location")
#undef __errno_location
#define __errno_location weft_const_errno_location
#include_next <errno.h>
#undef __errno_location
#pragma pop_macro("__errno_location")

#if defined(__linux__) && !defined(WEFT_FIBER_SAFE_ERRNO)
#define WEFT_FIBER_SAFE_ERRNO 1
#ifdef __cplusplus
extern "C" int* __errno_location(void) noexcept;
#else
extern int* __errno_location(void);
#endif
#endif
