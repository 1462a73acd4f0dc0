#include <weft/mc/mutation.h>

#include <cstring>

namespace weft::mc {

namespace {

const mutation* active = nullptr;
bool is_recording = false;
std::map<site, recorded_site> recorded;

const char* base_name(const char* path) {
  const char* const slash = std::strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

bool is_at(const site& s, operation what, const std::source_location& at) {
  return s.line == at.line() && s.column == at.column() && s.what == what && s.file == base_name(at.file_name());
}

mutated weaken(weakening how, operation what, std::memory_order order) {
  switch (how) {
    case weakening::relax:
      return {std::memory_order_relaxed};
    case weakening::no_acquire:
      return {std::memory_order_release};
    case weakening::no_release:
      return {std::memory_order_acquire};
    case weakening::no_total:
      return {std::memory_order_acq_rel};
    case weakening::drop:
      return {order, true};
    case weakening::blind:
      return {order, false, what != operation::fence};
  }
  return {order};
}

}  // namespace

void set_mutation(const mutation* m) { active = m; }
void record_sites(bool on) { is_recording = on; }
const std::map<site, recorded_site>& recorded_sites() { return recorded; }
void clear_recorded_sites() { recorded.clear(); }

std::string to_string(const site& s) {
  static constexpr const char* names[] = {"load", "store", "modify", "compare_exchange", "fence"};
  std::string text = std::string(base_name(s.file.c_str())) + ":" + std::to_string(s.line);
  if (s.column != 0) text += ":" + std::to_string(s.column) + " " + names[static_cast<int>(s.what)];
  return text;
}

std::string to_string(const mutation& m) {
  static constexpr const char* names[] = {"relaxed", "without acquire", "without release", "without seq_cst", "gone",
                                          "blind"};
  return to_string(m.where) + " " + names[static_cast<int>(m.how)];
}

mutated apply_mutation(operation what, std::memory_order order, const std::source_location& at) {
  if (is_recording) [[unlikely]] {
    recorded_site& r = recorded[{base_name(at.file_name()), at.line(), at.column(), what}];
    r.order = order;
    if (r.executions == 0) r.function = at.function_name();
    ++r.executions;
  }
  if (active != nullptr && is_at(active->where, what, at)) return weaken(active->how, what, order);
  return {order};
}

}  // namespace weft::mc
