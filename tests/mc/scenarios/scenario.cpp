#include "scenario.h"

namespace weft_mc {

std::vector<scenario>& scenarios() {
  static std::vector<scenario> all;
  return all;
}

}  // namespace weft_mc
