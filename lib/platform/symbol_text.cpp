// How a frame of a backtrace reads.
#include "platform/symbols.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace weft::inline v0::detail {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Writes names of the forms f, a::b::f and those inside of unnamed namespaces; false where there is more to a name.
bool write_plain_name(fixed_text& to, std::string_view mangled) noexcept {
  if (mangled.substr(0, 2) != "_Z") return false;
  mangled.remove_prefix(2);
  const bool is_nested = mangled.substr(0, 1) == "N";
  if (is_nested) mangled.remove_prefix(1);
  for (bool is_first = true;; is_first = false) {
    if (mangled.substr(0, 1) == "L") mangled.remove_prefix(1);  // Known in its file only.
    std::size_t length = 0;
    std::size_t digits = 0;
    for (; digits < mangled.size() && digits < 4 && is_digit(mangled[digits]); ++digits) {
      length = length * 10 + static_cast<std::size_t>(mangled[digits] - '0');
    }
    if (digits == 0 || digits + length > mangled.size()) return false;
    const std::string_view name = mangled.substr(digits, length);
    mangled.remove_prefix(digits + length);
    if (!is_first) to << "::";
    to << (name.substr(0, 8) == "_GLOBAL_" ? std::string_view("(anonymous namespace)") : name);
    if (!is_nested) return mangled.substr(0, 1) != "I";
    if (mangled.substr(0, 1) == "E") return mangled.substr(0, 2) != "EI";
  }
}

void write_place(fixed_text& to, const symbol& s) noexcept {
  if (s.module[0] == '\0') return;
  to << (s.function[0] != '\0' ? " in " : "") << s.module;
  if (s.function[0] == '\0') to << "+" << reinterpret_cast<const void*>(s.offset);
}

}  // namespace

void write_frame(fixed_text& to, const void* code, const symbol& s) noexcept {
  to << code << " ";
  fixed_text name;
  if (write_plain_name(name, s.function)) {
    to << name.view();
  } else {
    to << s.function;
  }
  write_place(to, s);
}

std::string frame_text(const void* code, const symbol& s) {
  fixed_text text;
  text << code << " ";
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(s.function, nullptr, nullptr, &status),
                                                    &std::free);
  text << (name != nullptr ? std::string_view(name.get()) : std::string_view(s.function));
  write_place(text, s);
  return std::string(text.view());
}

}  // namespace weft::inline v0::detail
