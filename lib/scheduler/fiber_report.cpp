#include "scheduler/fiber_report.h"

#include "scheduler/activation.h"
#include "scheduler/core.h"
#include "scheduler/record_look.h"

namespace weft::inline v0::detail {

namespace {

std::string state_of(const fiber_record& f) {
  const fiber_life life = f.life.load(relaxed);
  const activation* const a = f.on_stack.load(acquire);  // Pairs with move_in().
  if (a == nullptr) return life == fiber_life::fresh ? "has not started" : "starts or ends";
  const char* const object = a->waits_for.load(relaxed);
  switch (a->run.load(relaxed)) {
    case run_state::leaving:
    case run_state::suspended:
      return std::string("waits in ") + object;
    case run_state::ready:
      return "is ready to run";
    case run_state::running:
      break;
  }
  return "runs";
}

}  // namespace

std::optional<unfinished_fiber> describe_fiber(const fiber_record& f) {
  const record_look look(f);
  if (!look.is_alive()) return std::nullopt;
  const source_location site = look.site();
  unfinished_fiber seen{look.name(), look.id(), site.file_name(), static_cast<std::uint32_t>(site.line()), state_of(f)};
  if (!look.still_holds()) return std::nullopt;
  return seen;
}

std::string origin_text(std::string_view file, std::uint64_t line) {
  if (file.empty()) return "a child of weft::gather";
  return "spawned at " + std::string(file) + ":" + std::to_string(line);
}

std::string to_text(const unfinished_fiber& f) {
  std::string text = "fiber " + std::to_string(f.id);
  if (!f.name.empty()) text += " \"" + f.name + "\"";
  return text + ", " + origin_text(f.file, f.line) + ", " + f.state;
}

}  // namespace weft::inline v0::detail
