// How much memory this process holds.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace race {

// Kilobytes of a line of /proc/self/status.
inline long status_kb(const char* field) {
  std::FILE* const f = std::fopen("/proc/self/status", "r");
  char line[256];
  long kb = 0;
  while (f != nullptr && std::fgets(line, sizeof line, f) != nullptr) {
    if (std::strncmp(line, field, std::strlen(field)) == 0) kb = std::atol(line + std::strlen(field) + 1);
  }
  if (f != nullptr) std::fclose(f);
  return kb;
}

// What is resident, page tables included.
inline long memory_kb() { return status_kb("VmRSS") + status_kb("VmPTE"); }

// The member for race::report().
inline std::string kib_each(long kb, double count) {
  char text[64];
  std::snprintf(text, sizeof text, ",\"kib_each\":%.3f", double(kb) / count);
  return text;
}

}  // namespace race
