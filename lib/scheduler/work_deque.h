// The deque of fork-join, which templates see, too.
#pragma once

#include <weft/detail/work_deque.h>
