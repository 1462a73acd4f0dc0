// All of weft.
#pragma once

#include <weft/attributes.h>
#include <weft/cancelled.h>
#include <weft/condition_variable.h>
#include <weft/context_local.h>
#include <weft/deadline.h>
#include <weft/detail/build_check.h>
#include <weft/fiber.h>
#include <weft/fiber_local.h>
#include <weft/future.h>
#include <weft/future_error.h>
#include <weft/io_error.h>
#include <weft/mutex.h>
#include <weft/net/tcp.h>
#include <weft/options.h>
#include <weft/packaged_task.h>
#include <weft/pin_guard.h>
#include <weft/promise.h>
#include <weft/run.h>
#include <weft/runtime.h>
#include <weft/spawn.h>
#include <weft/statistics.h>
#include <weft/this_fiber.h>
