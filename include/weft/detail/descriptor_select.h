// What a select does with a descriptor: the kinds of cases.
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/select_case.h>

namespace weft::inline v0::detail {

class descriptor;

// The object of a case is a descriptor.
struct descriptor_case_ops {
  WEFT_API static const select_ops readable;
  WEFT_API static const select_ops writable;
};

}  // namespace weft::inline v0::detail
