// What a sender sees of a channel that takes nothing more.
#pragma once

#include <weft/detail/config.h>

#include <string>
#include <system_error>

namespace weft::inline v0 {

// Thrown by a send on a channel that is closed, or is closed while it waits; the value then stays with the sender. Its
// code is std::errc::broken_pipe.
class WEFT_API channel_closed : public std::system_error {
 public:
  explicit channel_closed(const std::string& what)
      : std::system_error(std::make_error_code(std::errc::broken_pipe), what) {}
};

}  // namespace weft::inline v0
