// The distance that keeps two words from sharing a cache line.
#pragma once

#include <weft/detail/cache_line.h>
