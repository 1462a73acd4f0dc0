// Conditional requests: what of a file a client may already have.
#pragma once

#include "http_parser.h"

#include <sys/stat.h>

#include <ctime>
#include <string>

namespace file_server {

// What tells one state of a file from another.
struct validators {
  std::string etag;  // Strong: it changes with the size and with every change of the modification time.
  std::time_t modified;

  explicit validators(const struct stat& about);
};

enum class condition_verdict { proceed, not_modified, failed };

// Weighs If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, of which an entity tag always
// outweighs its date.
condition_verdict weigh_conditions(const request_fields& fields, const validators& current);

// Whether a Range header counts: there is no If-Range, or it names the current state.
bool range_counts(const request_fields& fields, const validators& current);

}  // namespace file_server
