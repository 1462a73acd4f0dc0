#include "platform/interrupted_frames.h"

#include <cstdint>

#include <unwind.h>

namespace weft::inline v0::detail {

namespace {

constexpr std::size_t most_frames = 100'000;  // A broken table may lead round and round.

struct walk {
  const void* pc;
  bool (*visit)(void*, const void*, bool);
  void* argument;
  std::size_t frames = 0;
  bool has_arrived = false;  // At the interrupted code: the handler's own frames are behind us.
};

_Unwind_Reason_Code step(_Unwind_Context* context, void* of) {
  walk& w = *static_cast<walk*>(of);
  int is_exact = 0;
  const auto* const code = reinterpret_cast<const void*>(_Unwind_GetIPInfo(context, &is_exact));
  if (code == nullptr || ++w.frames > most_frames) return _URC_END_OF_STACK;
  w.has_arrived = w.has_arrived || code == w.pc;
  if (!w.has_arrived) return _URC_NO_REASON;
  return w.visit(w.argument, code, is_exact == 0) ? _URC_NO_REASON : _URC_END_OF_STACK;
}

}  // namespace

void walk_interrupted(const signal_event& event, bool (*visit)(void* argument, const void* code, bool is_return),
                      void* argument) noexcept {
  walk w{.pc = event.pc, .visit = visit, .argument = argument};
  _Unwind_Backtrace(&step, &w);
  if (!w.has_arrived && event.pc != nullptr) visit(argument, event.pc, false);
}

}  // namespace weft::inline v0::detail
