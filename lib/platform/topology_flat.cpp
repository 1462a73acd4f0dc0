// The topology without hwloc.
#include <stdexcept>
#include <string>

#include "platform/thread.h"
#include "platform/topology.h"

namespace weft::inline v0::detail {

topology topology::detect() { return flat(original_affinity()); }

topology topology::synthetic(std::string_view description) {
  throw std::invalid_argument("weft: topology \"" + std::string(description) +
                              "\": weft was built without hwloc, which reads such descriptions");
}

}  // namespace weft::inline v0::detail
