// <pthread.h> for code that runs on fibers.
//
// glibc declares pthread_self as a const function, so a compiler may compute it once and fold a comparison of
// two calls to `true`. A fiber with migration `free` can come back from a suspension on another thread. Here
// pthread_self is an ordinary function: every use asks again.
//
// This directory stands first on the include path that weft's pkg-config file and CMake target hand out. It
// works in C as well.
#pragma GCC system_header

#pragma push_macro("pthread_self")
#undef pthread_self
#define pthread_self weft_const_pthread_self
#include_next <pthread.h>
#undef pthread_self
#pragma pop_macro("pthread_self")

#if defined(__linux__) && !defined(WEFT_FIBER_SAFE_PTHREAD)
#define WEFT_FIBER_SAFE_PTHREAD 1
#ifdef __cplusplus
extern "C" pthread_t pthread_self(void) noexcept;
#else
extern pthread_t pthread_self(void);
#endif
#endif
