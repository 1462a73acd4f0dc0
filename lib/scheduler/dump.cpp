#include <weft/dump.h>

#include "scheduler/fiber_report.h"

#include <cstdio>
#include <string_view>
#include <unordered_map>

namespace weft::inline v0 {

namespace {

std::string_view to_string(fiber_state s) noexcept {
  static constexpr std::string_view names[] = {"fresh", "running", "ready", "waiting"};
  return names[static_cast<std::size_t>(s)];
}

std::string length_text(std::chrono::nanoseconds length) {
  char text[32];
  const double seconds = std::chrono::duration<double>(length).count();
  if (seconds >= 1) {
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  } else {
    std::snprintf(text, sizeof text, "%.0f ms", seconds * 1e3);
  }
  return text;
}

using name_table = std::unordered_map<std::uint64_t, std::string_view>;

std::string fiber_text(std::uint64_t id, std::string_view name) {
  std::string text = "fiber " + std::to_string(id);
  if (!name.empty()) text += " \"" + std::string(name) + "\"";
  return text;
}

std::string fiber_text(std::uint64_t id, const name_table& names) {
  const auto found = names.find(id);
  return fiber_text(id, found != names.end() ? found->second : std::string_view());
}

std::string wait_text(const fiber_dump& f, const name_table& names) {
  std::string text = "waits in " + f.waits_in;
  const char* separator = " for ";
  for (const std::uint64_t id : f.waits_for) {
    text += separator + fiber_text(id, names);
    separator = ", ";
  }
  if (f.waits_for_thread) text += " for a plain thread";
  text += ", since " + length_text(f.waited);
  if (f.has_deadline) text += ", with a deadline";
  if (f.called_children != 0) {
    text += ", calling children of weft::gather on its stack, " + std::to_string(f.called_children) + " deep";
  }
  return text;
}

std::string state_text(const fiber_dump& f, const name_table& names) {
  const std::string on = f.core ? " on core " + std::to_string(*f.core) : std::string();
  switch (f.state) {
    case fiber_state::fresh:
      return "has not started";
    case fiber_state::running:
      return "runs" + on;
    case fiber_state::ready:
      return "is ready to run" + on;
    case fiber_state::waiting:
      break;
  }
  return wait_text(f, names);
}

class json_writer {
 public:
  void open(char bracket) {
    separate();
    text_ += bracket;
    needs_comma_ = false;
  }
  void close(char bracket) {
    text_ += bracket;
    needs_comma_ = true;
  }
  void key(std::string_view name) {
    separate();
    quote(name);
    text_ += ": ";
    needs_comma_ = false;
  }
  void value(std::uint64_t number) { plain(std::to_string(number)); }
  void value(bool is) { plain(is ? "true" : "false"); }
  void value(std::string_view text) {
    separate();
    quote(text);
    needs_comma_ = true;
  }
  template <class T>
  void field(std::string_view name, const T& its_value) {
    key(name);
    value(its_value);
  }
  std::string take() { return std::move(text_); }

 private:
  void separate() {
    if (needs_comma_) text_ += ", ";
  }
  void plain(std::string_view text) {
    separate();
    text_ += text;
    needs_comma_ = true;
  }
  void quote(std::string_view text) {
    text_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') text_ += '\\';
      if (static_cast<unsigned char>(c) < 0x20) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        text_ += escape;
      } else {
        text_ += c;
      }
    }
    text_ += '"';
  }

  std::string text_;
  bool needs_comma_ = false;
};

void write_ids(json_writer& to, const std::vector<std::uint64_t>& ids) {
  to.open('[');
  for (const std::uint64_t id : ids) to.value(id);
  to.close(']');
}

void write_fiber(json_writer& to, const fiber_dump& f) {
  to.open('{');
  to.field("id", f.id);
  if (!f.name.empty()) to.field("name", std::string_view(f.name));
  to.field("file", std::string_view(f.file));
  to.field("line", std::uint64_t{f.line});
  to.field("state", to_string(f.state));
  if (f.core) to.field("core", std::uint64_t{*f.core});
  if (f.state == fiber_state::waiting) {
    to.field("waits_in", std::string_view(f.waits_in));
    to.key("waits_for");
    write_ids(to, f.waits_for);
    to.field("waits_for_thread", f.waits_for_thread);
    to.field("has_deadline", f.has_deadline);
    to.field("waited_ns", static_cast<std::uint64_t>(f.waited.count()));
    if (f.called_children != 0) to.field("called_children", std::uint64_t{f.called_children});
    to.key("backtrace");
    to.open('[');
    for (const std::string& frame : f.backtrace) to.value(std::string_view(frame));
    to.close(']');
  }
  to.close('}');
}

void write_mark(json_writer& to, const stack_mark& m) {
  to.open('{');
  to.field("file", std::string_view(m.file));
  to.field("line", std::uint64_t{m.line});
  to.field("fibers", m.fibers);
  to.field("deepest_bytes", std::uint64_t{m.deepest_bytes});
  to.field("size_bytes", std::uint64_t{m.size_bytes});
  to.close('}');
}

}  // namespace

std::string runtime_dump::text() const {
  name_table names;
  for (const fiber_dump& f : fibers) names.emplace(f.id, f.name);
  std::string text = "weft: " + std::to_string(fibers.size()) + " fiber(s)";
  if (quiescent) text += ", quiescent for " + length_text(*quiescent);
  text += "\n";
  for (const std::vector<std::uint64_t>& cycle : cycles) {
    text += "  in a ring, each waiting for the next:";
    const char* separator = " ";
    for (const std::uint64_t id : cycle) {
      text += separator + fiber_text(id, names);
      separator = " -> ";
    }
    text += separator + fiber_text(cycle.front(), names) + "\n";
  }
  for (const fiber_dump& f : fibers) {
    text += "  " + fiber_text(f.id, f.name) + ", " + detail::origin_text(f.file, f.line) + ", " + state_text(f, names) +
            "\n";
    for (std::size_t i = 0; i < f.backtrace.size(); ++i) {
      text += "    #" + std::to_string(i) + " " + f.backtrace[i] + "\n";
    }
  }
  if (!stacks.empty()) text += "deepest stacks, by the place of the spawn\n";
  for (const stack_mark& m : stacks) {
    text += "  " + (m.file.empty() ? "children of weft::gather" : m.file + ":" + std::to_string(m.line)) + ": " +
            std::to_string(m.deepest_bytes) + " of " + std::to_string(m.size_bytes) + " bytes, " +
            std::to_string(m.fibers) + " fiber(s)\n";
  }
  return text;
}

std::string runtime_dump::json() const {
  json_writer to;
  to.open('{');
  to.key("fibers");
  to.open('[');
  for (const fiber_dump& f : fibers) write_fiber(to, f);
  to.close(']');
  to.key("cycles");
  to.open('[');
  for (const std::vector<std::uint64_t>& cycle : cycles) write_ids(to, cycle);
  to.close(']');
  if (!stacks.empty()) {
    to.key("stacks");
    to.open('[');
    for (const stack_mark& m : stacks) write_mark(to, m);
    to.close(']');
  }
  if (quiescent) to.field("quiescent_ns", static_cast<std::uint64_t>(quiescent->count()));
  to.close('}');
  return to.take();
}

}  // namespace weft::inline v0
