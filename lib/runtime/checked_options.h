// From options as a user wrote them to a topology that can be built on.
#pragma once

#include "platform/topology.h"

#include <weft/options.h>

namespace weft::inline v0::detail {

// One seat for each core that `wanted` asks for.
// Throws: std::invalid_argument naming the option and its value.
topology checked_topology(const options& wanted);

}  // namespace weft::inline v0::detail
