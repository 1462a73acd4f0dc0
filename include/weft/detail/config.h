// What every weft header leans on: visibility, inlining and sanitizer detection.
#pragma once

#if defined(__GNUC__)
#define WEFT_API [[gnu::visibility("default")]]
#define WEFT_ALWAYS_INLINE inline __attribute__((always_inline))
#define WEFT_NOINLINE __attribute__((noinline))
#define WEFT_COLD __attribute__((cold, noinline))
#else
#error "weft needs g++ 12 or clang 14, or newer"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#endif

// The model checker takes the instrumentation for itself, without the sanitizer.
#if defined(WEFT_MODEL_CHECK)
#elif defined(__SANITIZE_THREAD__)
#define WEFT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_TSAN 1
#endif
#endif

// Inside weft the build is one; a program that includes weft says with which sanitizer it is built.
#ifndef WEFT_BUILDING
#include <weft/detail/build_check.h>
#endif
