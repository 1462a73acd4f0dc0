// stream_options as socket options.
#pragma once

#include <weft/net/stream_options.h>

namespace weft::inline v0::detail {

// 0 or an errno value, and the name of the option that failed.
struct option_result {
  int error = 0;
  const char* option = "";
};

// Sets what is set in `wanted`, in the order of its members, up to the first failure.
option_result apply_options(int fd, const net::stream_options& wanted) noexcept;

// Reads all of them.
option_result read_options(int fd, net::stream_options& found) noexcept;

// One option with an int for a value: 0 or an errno value.
int set_option(int fd, int level, int option, int value) noexcept;
int get_option(int fd, int level, int option, int& value) noexcept;

}  // namespace weft::inline v0::detail
