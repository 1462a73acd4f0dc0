// How deep fibers come on their stacks, by the place where they were spawned; for runtimes whose options ask for it.
//
// A page of a stack that nobody has touched has no memory, and reads as zero once it has. So the lowest page with memory,
// and in it the lowest byte that is not zero, tell how deep whoever has run there came. After each fiber the stack below
// the trampoline is made as it was before.
#pragma once

#include "scheduler/activation.h"
#include "scheduler/record.h"

#include <weft/dump.h>

#include <map>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::inline v0::detail {

// The deepest byte of the stack that was written, from its top. Of a stack that goes on meanwhile, a little old.
std::size_t stack_depth(const activation& a) noexcept;

// The calling fiber's stack, below the caller.
void clear_below(const activation& a) noexcept;

class stack_marks {
 public:
  using table = std::map<std::pair<std::string_view, std::uint32_t>, stack_mark>;

  static void add(table& to, const source_location& site, std::size_t depth, std::size_t size);  // Throws: bad_alloc.

  // By the fiber, which has run to its end on `a`.
  void note_end(const activation& a, const fiber_record& f) noexcept;

  table seen() const;  // Throws: std::bad_alloc.

 private:
  mutable std::mutex lock_;
  table marks_;
};

// The deepest first. Throws: std::bad_alloc.
std::vector<stack_mark> sorted_marks(const stack_marks::table& marks);

}  // namespace weft::inline v0::detail
