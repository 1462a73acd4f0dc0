#include "http_date.h"

#include <time.h>

#include <chrono>

namespace file_server {

namespace {

constexpr std::string_view days = "SunMonTueWedThuFriSat";
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

void put_digits(char* end, unsigned value, int count) {
  for (; count > 0; --count, value /= 10) *--end = static_cast<char>('0' + value % 10);
}

}  // namespace

// Two dates go into every answer, so this is done without the C library's locale.
std::string to_http_date(std::time_t moment) {
  using namespace std::chrono;
  const sys_seconds second{seconds(moment)};
  const sys_days day = floor<std::chrono::days>(second);
  const year_month_day date(day);
  const hh_mm_ss clock(second - day);
  std::string text = "Day, 00 Mon 0000 00:00:00 GMT";
  text.replace(0, 3, file_server::days.substr(3 * weekday(day).c_encoding(), 3));
  put_digits(&text[7], static_cast<unsigned>(date.day()), 2);
  text.replace(8, 3, file_server::months.substr(3 * (static_cast<unsigned>(date.month()) - 1), 3));
  put_digits(&text[16], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_digits(&text[19], static_cast<unsigned>(clock.hours().count()), 2);
  put_digits(&text[22], static_cast<unsigned>(clock.minutes().count()), 2);
  put_digits(&text[25], static_cast<unsigned>(clock.seconds().count()), 2);
  return text;
}

std::optional<std::time_t> parse_http_date(std::string_view text) {
  const std::string terminated(text);
  for (const char* form : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm fields{};
    const char* const rest = strptime(terminated.c_str(), form, &fields);
    if (rest != nullptr && *rest == '\0') return timegm(&fields);
  }
  return std::nullopt;
}

}  // namespace file_server
