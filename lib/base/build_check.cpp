#include <weft/detail/build_check.h>

// The one symbol of this build: what a program with another sanitizer asks for is not here.
extern "C" const char WEFT_BUILD_CHECK = 1;
