// Completions, with what their nodes are made of.
#pragma once

#include "scheduler/wait.h"

#include <weft/detail/completion.h>
