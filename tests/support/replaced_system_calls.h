// The system-call table with some entries replaced, for the lifetime of the object.
#pragma once

#include "platform/system_calls.h"

namespace weft_test {

class replaced_system_calls {
 public:
  // `replace` gets a copy of the table that is active now. No other thread may use weft here or in the
  // destructor.
  template <class Replace>
  explicit replaced_system_calls(Replace replace) : table_(weft::detail::sys()) {
    replace(table_);
    before_ = weft::detail::exchange_system_calls(&table_);
  }
  ~replaced_system_calls() { weft::detail::exchange_system_calls(before_); }
  replaced_system_calls(const replaced_system_calls&) = delete;
  replaced_system_calls& operator=(const replaced_system_calls&) = delete;

 private:
  weft::detail::system_calls table_;
  const weft::detail::system_calls* before_;
};

}  // namespace weft_test
