// A case of a select that is about a descriptor, whoever owns that.
#pragma once

#include <weft/detail/descriptor_select.h>
#include <weft/select.h>

#include <utility>

namespace weft::inline v0::detail {

template <class F>
plain_case<F> case_of_descriptor(descriptor* d, const select_ops& ops, F handler) {
  plain_case<F> c(std::move(handler));
  select_access::of_source(c, ops, d);
  return c;
}

}  // namespace weft::inline v0::detail
