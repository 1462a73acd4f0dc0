// The three verbs that move the processor from one stack to another.
//
// A context is what a stack needs to go on: callee-saved registers and the place to return to. It lives on
// its own stack; `saved_context` points at it and is valid for exactly one resumption.
//
//   arrival switch_to(saved_context to, void* message)          saves the caller's context, resumes `to` and hands it
//                                                               `message`; returns when somebody resumes the caller
//   arrival start(top, size, entry, message)                    the same, and calls `entry` on the empty stack below `top`;
//                                                               `entry` never returns
//   exit_to(to, message), exit_to_start(top, size, entry, ...)  the same, leaving the caller's stack for good
//
// The native switches leave the floating-point control words alone: workers set theirs alike, and a fiber that wants its
// own has attributes::preserve_fp. Boost.Context keeps them per context.
//
// Only the scheduler's one suspension function may call these.
#pragma once

#if defined(WEFT_CONTEXT_NATIVE) && defined(__x86_64__)
#include "context/switch_x86_64.h"
#elif defined(WEFT_CONTEXT_NATIVE) && defined(__aarch64__)
#include "context/switch_aarch64.h"
#else
#include "context/switch_boost.h"
#endif
