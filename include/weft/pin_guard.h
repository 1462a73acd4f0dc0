// weft::pin_guard: keeps a migrating fiber on its core for a scope.
#pragma once

#include <weft/this_fiber.h>
