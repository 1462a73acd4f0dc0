// Taking an order, a fence or a comparison out of production code without touching it: sites are named by where the
// operation stands in the source.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <map>
#include <source_location>
#include <string>

namespace weft::mc {

enum class operation : std::uint8_t { load, store, modify, compare_exchange, fence };

struct site {
  std::string file;  // Without folders.
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  operation what = operation::load;

  auto operator<=>(const site&) const = default;
};

enum class weakening : std::uint8_t {
  relax,       // Any order becomes relaxed.
  no_acquire,  // acq_rel becomes release,
  no_release,  // or acquire; seq_cst likewise.
  no_total,    // seq_cst becomes acq_rel.
  drop,        // A fence, a store or a read-modify-write does nothing; a load reads zero.
  blind,       // A compare-and-swap stores whatever it finds, and says that it succeeded.
};

struct mutation {
  site where;
  weakening how = weakening::relax;
};

std::string to_string(const site& s);
std::string to_string(const mutation& m);

// At most one mutation is on at a time.
void set_mutation(const mutation* m);

// Whether operations note the sites that they come from.
void record_sites(bool on);
struct recorded_site {
  std::memory_order order;
  std::uint64_t executions;
  std::string function;
};
const std::map<site, recorded_site>& recorded_sites();
void clear_recorded_sites();

// What an operation makes of itself.
struct mutated {
  std::memory_order order;
  bool is_dropped = false;
  bool is_blind = false;
};
mutated apply_mutation(operation what, std::memory_order order, const std::source_location& at);

}  // namespace weft::mc
