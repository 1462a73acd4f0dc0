#include "answer.h"

#include "byte_ranges.h"
#include "conditions.h"
#include "content_type.h"
#include "folder_page.h"
#include "http_date.h"
#include "request_path.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string_view>
#include <system_error>

namespace file_server {

namespace {

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

void add_field(reply& to, std::string_view name, std::string_view value) {
  to.fields.append(name).append(": ").append(value).append("\r\n");
}

http::status status_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return http::status::not_found;
    case EACCES:
    case EPERM:
    case EXDEV:
    case ELOOP:
    case ENXIO:
      return http::status::forbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return http::status::service_unavailable;
    default:
      return http::status::internal_server_error;
  }
}

reply refusal_of(int error) {
  reply refusal = plain_reply(status_of(error));
  if (refusal.status == http::status::service_unavailable) add_field(refusal, "Retry-After", "1");
  return refusal;
}

std::string content_range(const byte_range& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.first + range.size - 1) + "/" +
         std::to_string(size);
}

// Several ranges travel as parts of one body. A line that begins with the boundary may occur in the file: clients
// go by the ranges, whose lengths they know.
void put_parts(reply& to, const std::vector<byte_range>& ranges, std::uint64_t size, std::string_view type) {
  constexpr std::string_view boundary = "weft-5f1c9d27e8b04a36";
  add_field(to, "Content-Type", "multipart/byteranges; boundary=" + std::string(boundary));
  for (const byte_range& range : ranges) {
    std::string before = to.slices.empty() ? "--" : "\r\n--";
    before.append(boundary).append("\r\nContent-Type: ").append(type);
    before.append("\r\nContent-Range: ").append(content_range(range, size)).append("\r\n\r\n");
    to.slices.push_back({std::move(before), range.first, range.size});
  }
  to.text.append("\r\n--").append(boundary).append("--\r\n");
}

reply answer_file(const http_request& request, found_file found, std::string_view name) {
  const validators current(found.about);
  const auto size = static_cast<std::uint64_t>(found.about.st_size);
  const std::string_view type = content_type_of(name);
  const condition_verdict verdict = weigh_conditions(request, current);
  if (verdict == condition_verdict::failed) return plain_reply(http::status::precondition_failed);

  reply result;
  result.fields.reserve(256);
  // No later than the Date of the answer (RFC 9110 8.8.2.1).
  add_field(result, "Last-Modified", to_http_date(std::min(current.modified, std::time(nullptr))));
  add_field(result, "ETag", current.etag);
  if (verdict == condition_verdict::not_modified) {
    result.status = http::status::not_modified;
    return result;
  }
  requested_ranges wanted;
  if (request.method() == http::verb::get && request.count(http::field::range) == 1 && range_counts(request, current)) {
    wanted = parse_ranges(view(request[http::field::range]), size);
  }
  if (wanted.verdict == range_verdict::unsatisfiable) {
    result = plain_reply(http::status::range_not_satisfiable);
    add_field(result, "Content-Range", "bytes */" + std::to_string(size));
    return result;
  }
  add_field(result, "Accept-Ranges", "bytes");
  result.file = std::move(found.file);
  if (wanted.verdict == range_verdict::whole) {
    add_field(result, "Content-Type", type);
    result.slices.push_back({"", 0, size});
    return result;
  }
  result.status = http::status::partial_content;
  if (wanted.ranges.size() > 1) {
    put_parts(result, wanted.ranges, size, type);
  } else {
    add_field(result, "Content-Type", type);
    add_field(result, "Content-Range", content_range(wanted.ranges[0], size));
    result.slices.push_back({"", wanted.ranges[0].first, wanted.ranges[0].size});
  }
  return result;
}

reply answer_folder(const http_request& request, const directory& top, const std::string& name,
                    const settings& limits) {
  const std::string index = name.empty() ? "index.html" : name + "/index.html";
  found_file page = top.open(index);
  if (page.error == 0 && S_ISREG(page.about.st_mode)) return answer_file(request, std::move(page), index);
  if (page.error != 0 && page.error != ENOENT) return refusal_of(page.error);
  found_file folder = top.open(name);
  if (folder.error != 0) return refusal_of(folder.error);
  if (!limits.lists_folders) return plain_reply(http::status::forbidden);
  reply result;
  add_field(result, "Content-Type", "text/html; charset=utf-8");
  try {
    result.text = folder_page(name, entries_of(folder.file));
  } catch (const std::system_error& failed) {
    return refusal_of(failed.code().value());
  }
  return result;
}

}  // namespace

std::uint64_t reply::length() const noexcept {
  std::uint64_t sum = text.size();
  for (const file_slice& slice : slices) sum += slice.before.size() + slice.size;
  return sum;
}

reply plain_reply(http::status status) {
  reply result;
  result.status = status;
  add_field(result, "Content-Type", "text/plain; charset=utf-8");
  result.text =
      std::to_string(static_cast<unsigned>(status)) + " " + std::string(view(http::obsolete_reason(status))) + "\n";
  return result;
}

reply answer(const http_request& request, const directory& top, const settings& limits) {
  if (request.method() == http::verb::unknown) return plain_reply(http::status::not_implemented);
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    reply refusal = plain_reply(http::status::method_not_allowed);
    add_field(refusal, "Allow", "GET, HEAD");
    return refusal;
  }
  const auto path = parse_target(view(request.target()));
  if (!path) return plain_reply(http::status::bad_request);
  if (path->is_folder || path->name.empty()) return answer_folder(request, top, path->name, limits);

  found_file found = top.open(path->name);
  if (found.error != 0) return refusal_of(found.error);
  if (S_ISDIR(found.about.st_mode)) {
    reply redirect = plain_reply(http::status::moved_permanently);
    add_field(redirect, "Location", "/" + to_url(path->name) + "/");
    return redirect;
  }
  if (!S_ISREG(found.about.st_mode)) return plain_reply(http::status::forbidden);
  return answer_file(request, std::move(found), path->name);
}

}  // namespace file_server
