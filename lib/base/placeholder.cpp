#include <weft/detail/atomic.h>
