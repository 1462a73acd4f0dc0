// The command line.
#pragma once

#include "directory.h"
#include "settings.h"

#include <weft/net/address.h>
#include <weft/options.h>

#include <string>

namespace file_server {

struct arguments {
  std::string folder;
  weft::net::endpoint where;
  weft::options runtime{};
  settings limits{};
  resolution way = resolution::kernel;
  bool wants_statistics = false;
};

// Ends the program for --help (status 0), and for what is wrong, with a message that names it (status 2).
arguments parse_arguments(int count, char** words);

}  // namespace file_server
