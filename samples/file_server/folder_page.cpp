#include "folder_page.h"

#include "request_path.h"

#include <string_view>

namespace file_server {

namespace {

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

}  // namespace

std::string folder_page(const std::string& name, const std::vector<directory_entry>& entries) {
  const std::string title = "/" + escaped(name);
  std::string page =
      "<!doctype html>\n<meta charset=\"utf-8\">\n<title>" + title + "</title>\n<h1>" + title + "</h1>\n<ul>\n";
  if (!name.empty()) page += "<li><a href=\"../\">../</a>\n";
  for (const directory_entry& entry : entries) {
    const std::string_view slash = entry.is_folder ? "/" : "";
    page.append("<li><a href=\"./").append(to_url(entry.name)).append(slash).append("\">");
    page.append(escaped(entry.name)).append(slash).append("</a>\n");
  }
  return page + "</ul>\n";
}

}  // namespace file_server
