// The portable implementation under other names, so that it is tested where the kernel's is the one in use.
#define futex_wait futex_wait_on_condition
#define futex_wake futex_wake_on_condition
#include "platform/futex_condition.cpp"
