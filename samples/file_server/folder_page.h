#pragma once

#include "directory.h"

#include <string>
#include <vector>

namespace file_server {

// A page of HTML that lists `entries` of the folder `name`, whatever their names are made of.
std::string folder_page(const std::string& name, const std::vector<directory_entry>& entries);

}  // namespace file_server
