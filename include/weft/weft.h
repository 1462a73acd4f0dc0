// All of weft.
#pragma once

#include <weft/attributes.h>
#include <weft/broadcast.h>
#include <weft/cancelled.h>
#include <weft/channel.h>
#include <weft/condition_variable.h>
#include <weft/deadline.h>
#include <weft/detail/build_check.h>
#include <weft/fiber.h>
#include <weft/io_error.h>
#include <weft/lifo_channel.h>
#include <weft/mutex.h>
#include <weft/net/tcp.h>
#include <weft/oneshot.h>
#include <weft/options.h>
#include <weft/pin_guard.h>
#include <weft/priority_channel.h>
#include <weft/run.h>
#include <weft/runtime.h>
#include <weft/select.h>
#include <weft/select_set.h>
#include <weft/spawn.h>
#include <weft/statistics.h>
#include <weft/this_fiber.h>
#include <weft/watch.h>
