#include "scheduler/record_look.h"

#include "platform/memory_reader.h"
#include "scheduler/slab.h"

#include <algorithm>
#include <climits>
#include <string_view>

namespace weft::inline v0::detail {

// Where a new fiber is being made, the bytes behind the record are those of its closure: hence read as bytes, and never
// beyond the block.
std::string record_look::name() const {
  const char* const text = record_.name_text.load(relaxed);
  if (text == nullptr) return {};
  const auto offset = static_cast<std::size_t>(text - reinterpret_cast<const char*>(&record_));
  const std::size_t most = slab_heap::block_bytes(&record_) - offset;
  char copy[1 + UCHAR_MAX];
  copy_memory(text, copy, std::min(sizeof copy, most));
  const std::string_view seen = fiber_record::name_at(copy);
  return std::string(seen.substr(0, most - 1));
}

}  // namespace weft::inline v0::detail
