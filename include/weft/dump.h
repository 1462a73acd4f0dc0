// What every fiber of a runtime is doing: a picture for people, and for programs.
#pragma once

#include <weft/detail/config.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weft::inline v0 {

enum class fiber_state : std::uint8_t { fresh, running, ready, waiting };

// One fiber, as it was when it was looked at.
struct fiber_dump {
  std::uint64_t id = 0;
  std::string name;
  std::string file;  // Where it was spawned. Empty for a child of gather().
  std::uint32_t line = 0;
  fiber_state state = fiber_state::fresh;
  std::optional<std::size_t> core;  // Where it runs, or ran last.

  // Of a fiber that waits:
  std::string waits_in;                  // The call: "mutex::lock", "fiber::join", ...
  std::vector<std::uint64_t> waits_for;  // The fibers that have to go on first, where that is known: the one that it
                                         // joins, the owner of the lock, the children of the scope.
  bool waits_for_thread = false;         // A plain thread owns the lock.
  bool has_deadline = false;             // The wait ends by itself.
  std::chrono::nanoseconds waited{0};    // About a millisecond more or less.
  std::size_t called_children = 0;       // So many children of gather() are called on its stack, one within the other,
                                         // and it is the innermost one that waits.
  std::vector<std::string> backtrace;    // Innermost first. Frames of code without frame pointers are missing.
};

// How deep the fibers of one spawn site have come, where options::stack_marks asks for it.
struct stack_mark {
  std::string file;
  std::uint32_t line = 0;
  std::uint64_t fibers = 0;       // That have ended, or wait.
  std::size_t deepest_bytes = 0;  // Of all of them; a little more than their own code needs.
  std::size_t size_bytes = 0;     // Of the stack of the one that came so deep.
};

// All fibers. They go on while they are looked at one by one, so two of them may be seen at different moments.
struct WEFT_API runtime_dump {
  std::vector<fiber_dump> fibers;
  // Fibers that wait for each other in a ring: each one for the next, the last for the first. Every one of them waited
  // all the while that the ring was looked at, and none of these waits has a deadline.
  std::vector<std::vector<std::uint64_t>> cycles;

  // Set when every fiber waits and no core has anything to run: for how long.
  std::optional<std::chrono::nanoseconds> quiescent;

  // The deepest first.
  std::vector<stack_mark> stacks;

  // For people: a few lines for each fiber.
  std::string text() const;

  // {"fibers": [{"id", "name", "file", "line", "state", "core", "waits_in", "waits_for", "waits_for_thread",
  // "has_deadline", "waited_ns", "called_children", "backtrace"}, ...], "cycles": [[id, ...], ...],
  // "quiescent_ns", "stacks": [{"file", "line", "fibers", "deepest_bytes", "size_bytes"}, ...]}; what does not apply is left
  // out.
  std::string json() const;
};

}  // namespace weft::inline v0
