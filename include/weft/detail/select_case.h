// What select() knows of a case, whatever kind of object it is about.
//
// A kind of case is a table of four functions (select_ops) over an object and a node of its waiters' list. Its author
// writes them beside the object; select() calls them in this order:
//   try_now()   with no wait under way: does it at once if that is possible without waiting.
//   enroll()    with the select's wait begun: the node goes into the object's list of waiters, unless it can be done
//               now. Then the select's own wait must be claimed first, under the object's lock: an earlier case may
//               have been chosen by somebody else meanwhile.
//   withdraw()  after the wait: for every case that was enrolled and did not win.
//   won()       after the wait: for the case whose node the claimer put into wait_record::winner.
// Where the node is, scheduler/select_node.h says.
// A claimer that hands something over writes itself into `winner`. One that only announces a change of state (the end
// of a fiber, an event that stays set) may leave it: the select then begins anew, and finds the change by try_now().
#pragma once

#include <weft/detail/config.h>
#include <weft/detail/duration.h>

#include <cstddef>
#include <cstdint>

namespace weft::inline v0::detail {

struct select_case;

enum class enroll_result : std::uint8_t {
  enrolled,   // In the list; somebody else will claim.
  taken,      // Done. The select's wait was claimed for it first.
  overtaken,  // Not in the list: the select's wait belongs to another claimer already.
  again,      // The select's wait was claimed, but what looked possible was gone: nothing happened.
};

struct select_ops {
  // True if it was done. Throws: then it was not, and the select throws it.
  bool (*try_now)(select_case& c);
  // May throw only once it has claimed the select's wait.
  enroll_result (*enroll)(select_case& c);
  // Returns once nobody touches the node any more.
  void (*withdraw)(select_case& c) noexcept;
  // False: it was woken, but not done; the select begins anew.
  bool (*won)(select_case& c);
};

// One case of one select. It lies in the select's frame, and does not move while that runs.
struct select_case {
  enum class role : std::uint8_t { source, deadline, otherwise, disabled };

  const select_ops* ops = nullptr;  // Of a source.
  void* object = nullptr;           // What it is about.
  void* place = nullptr;            // Where its value is, or goes.
  void* node[6];                    // A wait_node or what is derived from it, made by select() before enroll().
  std::int64_t limit = never;       // Of a deadline, in monotonic nanoseconds.
  role what = role::disabled;
  bool is_off = false;  // Not to be chosen now, whatever it is.
};

// Waits for one of `count` cases and does it. Returns which. `order` is room for `count` numbers.
// Throws: weft::cancelled; what the chosen case throws.
WEFT_API std::size_t run_select(select_case* const* cases, std::uint16_t* order, std::size_t count, bool by_priority);

}  // namespace weft::inline v0::detail
