#include <weft/mc/allocation.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>
#include <weft/mc/plain.h>

namespace weft::mc {

namespace {

[[noreturn]] void report(execution& e, const char* what, const std::source_location& at) {
  e.fail(std::string(what) + " at " + to_string(site{at.file_name(), at.line(), 0, {}}));
}

void check_alive(execution& e, const void* address, const std::source_location& at) {
  if (allocation::is_freed(address)) report(e, "use after free", at);
}

}  // namespace

void race_detector::on_read(const std::source_location& at) {
  const engine_scope in_engine;
  execution* const e = execution::current();
  if (e == nullptr) return;
  check_alive(*e, this, at);
  const vector_clock& now = e->self().memory.now.clock;
  if (written_by_ >= 0 && !now.covers(static_cast<std::size_t>(written_by_), written_)) {
    report(*e, "data race: a read that no write is ordered before", at);
  }
  const auto me = static_cast<std::size_t>(e->self().id);
  read_.of[me] = e->tick();
}

void race_detector::on_write(const std::source_location& at) {
  const engine_scope in_engine;
  execution* const e = execution::current();
  if (e == nullptr) return;
  check_alive(*e, this, at);
  const vector_clock& now = e->self().memory.now.clock;
  if (written_by_ >= 0 && !now.covers(static_cast<std::size_t>(written_by_), written_)) {
    report(*e, "data race: two writes", at);
  }
  for (std::size_t i = 0; i < most_threads; ++i) {
    if (!now.covers(i, read_.of[i])) report(*e, "data race: a write that a read is not ordered before", at);
  }
  written_by_ = e->self().id;
  written_ = e->tick();
}

}  // namespace weft::mc
