#include "report.h"

#include <array>
#include <cstdio>
#include <memory>

namespace http_load {

namespace {

struct quantile {
  const char* name;
  double fraction;
};
constexpr std::array<quantile, 5> quantiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}}};

template <class... Values>
std::string print(const char* form, Values... values) {
  const int size = std::snprintf(nullptr, 0, form, values...);
  std::string text(static_cast<std::size_t>(size), '\0');
  std::snprintf(text.data(), text.size() + 1, form, values...);
  return text;
}

std::array<double, quantiles.size()> latencies_in_us(const totals& results) {
  const auto sum = std::make_unique<latency_histogram>();
  results.add_latencies_to(*sum);
  std::array<double, quantiles.size()> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<double>(sum->quantile(quantiles[i].fraction)) / 1e3;
  }
  return values;
}

double per_second(std::uint64_t amount, double seconds) {
  return seconds > 0 ? static_cast<double>(amount) / seconds : 0;
}

}  // namespace

std::string to_text(const report& run) {
  const totals& all = run.results;
  std::string text =
      print("%zu connections, %zu requests at once on each, %.2f s\n", run.connections, run.depth, run.seconds);
  text += print("%ju answers, %.0f requests/s, %.1f MB/s\n", static_cast<std::uintmax_t>(all.answers()),
                per_second(all.answers(), run.seconds), per_second(all.bytes(), run.seconds) / 1e6);
  text += "latency in us:";
  const auto values = latencies_in_us(all);
  for (std::size_t i = 0; i < values.size(); ++i) text += print("  %s %.1f", quantiles[i].name, values[i]);
  text += print("\nerrors: %ju", static_cast<std::uintmax_t>(all.failures()));
  for (std::size_t kind = 0; kind < failure_names.size(); ++kind) {
    if (all.failures(kind) == 0) continue;
    text += print("  %s %ju", failure_names[kind].data(), static_cast<std::uintmax_t>(all.failures(kind)));
  }
  return text + "\n";
}

std::string to_json(const report& run) {
  const totals& all = run.results;
  std::string text = print("{\"connections\":%zu,\"pipeline\":%zu,\"seconds\":%.3f,\"answers\":%ju", run.connections,
                           run.depth, run.seconds, static_cast<std::uintmax_t>(all.answers()));
  text += print(",\"requests_per_second\":%.1f,\"megabytes_per_second\":%.2f,\"latency_us\":{",
                per_second(all.answers(), run.seconds), per_second(all.bytes(), run.seconds) / 1e6);
  const auto values = latencies_in_us(all);
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += print("%s\"%s\":%.1f", i == 0 ? "" : ",", quantiles[i].name, values[i]);
  }
  text += print("},\"errors\":{\"all\":%ju", static_cast<std::uintmax_t>(all.failures()));
  for (std::size_t kind = 0; kind < failure_names.size(); ++kind) {
    text += print(",\"%s\":%ju", failure_names[kind].data(), static_cast<std::uintmax_t>(all.failures(kind)));
  }
  text += "},\"cores\":[";
  const char* comma = "";
  for (const weft::core_statistics& core : run.cores.cores) {
    text += print("%s{\"fibers\":%ju,\"switches\":%ju,\"steals\":%ju,\"polls\":%ju,\"parks\":%ju}", comma,
                  static_cast<std::uintmax_t>(core.ended), static_cast<std::uintmax_t>(core.switches),
                  static_cast<std::uintmax_t>(core.steals), static_cast<std::uintmax_t>(core.polls),
                  static_cast<std::uintmax_t>(core.parks));
    comma = ",";
  }
  return text + "]}\n";
}

}  // namespace http_load
