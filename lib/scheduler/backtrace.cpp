#include "scheduler/backtrace.h"

#include "context/saved_frame.h"
#include "platform/memory_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace weft::inline v0::detail {

namespace {

// A copy of a part of a stack, filled anew when a word outside of it is wanted.
class stack_copy {
 public:
  stack_copy(const std::byte* low, const std::byte* top) noexcept
      : low_(reinterpret_cast<std::uintptr_t>(low)), top_(reinterpret_cast<std::uintptr_t>(top)) {}

  bool read(std::uintptr_t at, std::uintptr_t& word) noexcept {
    if (at % sizeof word != 0 || at < low_ || at >= top_ || top_ - at < sizeof word) return false;
    if (at < first_ || at + sizeof word > end_) {
      first_ = at;
      end_ = std::min(top_, at + bytes_.size());
      copy_memory(reinterpret_cast<const void*>(first_), bytes_.data(), end_ - first_);
    }
    std::memcpy(&word, bytes_.data() + (at - first_), sizeof word);
    return true;
  }

 private:
  std::uintptr_t low_;
  std::uintptr_t top_;
  std::uintptr_t first_ = 0;
  std::uintptr_t end_ = 0;
  std::array<std::byte, 4096> bytes_;
};

}  // namespace

std::size_t waiting_frames(const activation& a, const void* (&frames)[most_frames]) noexcept {
  if (!knows_saved_context) return 0;
  saved_context context{};
  copy_memory(&a.context, &context, sizeof context);
  const auto base = reinterpret_cast<std::uintptr_t>(context);
  stack_copy stack(a.low, a.top);
  std::uintptr_t pc = 0;
  std::uintptr_t frame = 0;
  if (!stack.read(base + saved_context_layout.pc, pc)) return 0;
  if (!stack.read(base + saved_context_layout.frame_pointer, frame)) return 0;
  std::size_t count = 0;
  std::uintptr_t lowest = base;
  while (pc != 0 && count < most_frames) {
    frames[count++] = reinterpret_cast<const void*>(pc);
    std::uintptr_t caller = 0;
    if (frame < lowest || !stack.read(frame, caller) || !stack.read(frame + sizeof frame, pc)) break;
    lowest = frame + 1;  // Frames lie one above the other.
    frame = caller;
  }
  return count;
}

const std::string& frame_names::of(const void* code, bool is_return) {
  std::string& text = known_[code];
  if (text.empty()) {
    symbol s;
    symbols_.find(code, is_return, s);
    text = frame_text(code, s);
  }
  return text;
}

}  // namespace weft::inline v0::detail
