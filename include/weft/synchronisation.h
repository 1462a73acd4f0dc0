// All that fibers and threads synchronise with.
#pragma once

#include <weft/barrier.h>
#include <weft/condition_variable.h>
#include <weft/condition_variable_any.h>
#include <weft/event.h>
#include <weft/guarded.h>
#include <weft/latch.h>
#include <weft/mutex.h>
#include <weft/no_suspend.h>
#include <weft/once.h>
#include <weft/rate_limiter.h>
#include <weft/recursive_mutex.h>
#include <weft/semaphore.h>
#include <weft/shared_mutex.h>
#include <weft/single_flight.h>
#include <weft/wait_group.h>
