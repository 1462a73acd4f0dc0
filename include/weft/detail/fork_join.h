// Fork-join at the cost of calls: what weft::gather() is made of.
//
// Roles: the *owner*, in whose frame the fork_join and its nodes lie; *thieves*, other cores that take a node; *outside
//   children*, nodes that became fibers of their own: taken by a thief, or sent out when the owner's stack suspended.
// Invariant: the fork deque of a core holds only nodes of the stack that runs there, the innermost join's at its newest
//   end, a join's first child newest of all. So what the owner pops is the next child of its own innermost join; and
//   once it pops nothing, all its children that have not run here are outside.
// Protocol:
//   owner: enter the frame; push the children, last one first; call the first; pop and call the next ones; wait until as
//     many have ended outside as were not popped; leave the frame.
//   suspension of the owner's stack: every node in the deque becomes a fiber before the stack is left (send_out_forks).
//   thief: take the oldest node, make a fiber of it.
//   outside child: call; note the error; end its variables; under the lock count itself out, its last touch of the join.
//   canceller: while a child on the stack cannot be cut short, it tells those outside for the owner, see call_chain.h.
// A called_fiber is a join of one child, which has a record and was never in the deque.
// A child that is called on the owner's stack is a fiber to itself and to others as far as it can tell: identity,
// fiber-locals, context and exception state are its own. It obeys the cancellations of the owner and of the join's frame,
// which are all that can reach a child without a handle.
#pragma once

#include <weft/detail/fork_lane.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

namespace weft::inline v0::detail {

class core;
struct context_array;
struct local_table;

struct fork_errors {
  std::exception_ptr first;
  std::unique_ptr<std::vector<std::exception_ptr>> more;
};

// What only the owner needs to know: kept beside the join, so that it lies in registers where all is well.
struct fork_calls {
  fork_seat* seat = nullptr;
  std::size_t left = 0;          // Children that were not called here, or not yet.
  bool runs_first_here = false;  // The caller is the first child, and calls its function.
};

// Belongs to the fiber in whose frame it lies. Requires: join() is called before it is left.
class WEFT_API fork_join {
 public:
  // The lane of the calling fiber.
  // Throws: std::system_error (operation_not_permitted) outside of fibers.
  WEFT_ALWAYS_INLINE static fork_lane& lane() {
    fork_lane* const found = lane_here();
    if (found == nullptr || found->current == nullptr) [[unlikely]]
      refuse_outside();
    return *found;
  }

  // Forks the children, which fills `calls`. The nodes stay where they are until join() has returned or thrown. The first
  // one is not looked at before `fill_first()` was called, which happens only if that child cannot be called here.
  template <class FillFirst>
  WEFT_ALWAYS_INLINE fork_join(fork_lane& lane, fork_node* children, std::size_t count, fork_calls& calls,
                               FillFirst fill_first);
  ~fork_join() {}  // NOLINT(modernize-use-equals-default): what is outside has been seen to.
  fork_join(const fork_join&) = delete;
  fork_join& operator=(const fork_join&) = delete;

  // Asked for each child but the first, in order. True: the caller is this child now, and calls its function; where that
  // throws it calls failed(). False: it runs, or ran, elsewhere, or never will.
  WEFT_ALWAYS_INLINE bool next(fork_calls& calls) noexcept;

  // In the handler of what a child threw.
  void failed() noexcept;

  // Of the child that is called on the owner's stack.
  std::uint64_t id_of_child(core& c) noexcept;

  // The variables of the child that is called on the owner's stack, at its end.
  void end_variables() noexcept;

  // For call_chain.h. Under its lock: tells the children outside of a cancellation that has reached the owner. The join
  // whose child the owner is, on the same stack; null if it is none.
  void pass_on_cancellation() noexcept;
  fork_join* called_by() const noexcept;
  void note_exposed() noexcept { unusual_ |= was_exposed; }
  bool is_open_to(std::uint8_t level) const noexcept { return frame_.level == level; }

  // Waits for the children.
  // Throws: what a child threw, which cancels the others; scope_errors if there are several; weft::cancelled.
  WEFT_ALWAYS_INLINE void join(const fork_calls& calls);

 private:
  friend class core;
  friend struct forked_fiber;
  friend struct stack_occupants;
  friend class called_fiber;

  // Something of the owner's must not be seen by children, see put_aside(); not every child has left a result; it was
  // exposed, see call_chain.h.
  static constexpr std::uint8_t has_put_aside = 1;
  static constexpr std::uint8_t lacks_results = 2;
  static constexpr std::uint8_t was_exposed = 4;

  // What children outside make necessary, and errors.
  struct outside_state {
    std::uint32_t ended = 0;
    std::uint32_t wanted = 0;
    void* joiner = nullptr;       // Waits for so many.
    fork_node* untold = nullptr;  // Children that do not know of a cancellation; then those that do.
    fork_node* told = nullptr;
    fork_errors errors;
    bool is_told = false;  // They are cancelled, those to come too.
    bool lacks_results = false;
    cancel_reason told_as{};
  };

  // Enters the frame. There are no children yet.
  WEFT_ALWAYS_INLINE explicit fork_join(fork_lane& lane) noexcept;

  bool is_cancelled() const noexcept {
    return frame_.is_cancelled() || (seat_of(frame_.stack).marks->load(relaxed) >> 8 & frame_.level) != 0;
  }
  [[noreturn]] static void refuse_outside();
  static void wake_a_core() noexcept;
  std::size_t begin_unusual(fork_node* children, std::size_t count, std::size_t left) noexcept;
  void put_aside() noexcept;
  void take_back() noexcept;
  fork_lane& give_way() noexcept;
  outside_state& outside_part() noexcept;
  fiber_record* send_out(core& c, fork_node& n) noexcept;
  void fail_to_send_out(fork_node& n, fiber_record* unlaunched) noexcept;
  void note_error(std::exception_ptr error) noexcept;
  void ended_outside(fork_node& n, bool has_result) noexcept;
  void cancel_outside(cancel_reason why) noexcept;
  void wait_outside(std::size_t wanted) noexcept;
  void finish_unusual(std::size_t left);
  [[noreturn]] void throw_outcome();

  // The owner only.
  cancel_frame frame_;
  std::uintptr_t identity_;  // The owner's, from before.
  std::uint64_t child_id_;   // Of the child that is called here, once it was asked for; 0 before.

  atomic<std::uint32_t> lock_;
  bool has_outside_;    // Under the lock: the outside part has begun to exist.
  bool hides_context_;  // Of the owner; does not change once there are children, so thieves may ask. As the next one.
  bool is_called_fiber_;
  std::uint8_t unusual_;  // The owner's: a set of the three marks.

  union {
    outside_state outside;  // Under the lock. Ended by finish_unusual().
  };

  // The owner's, put aside.
  unsigned uncaught_exceptions_;
  void* caught_exceptions_;
  context_array* context_;
  local_table* locals_;
};

// NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): what is not needed yet is set when it is.
inline fork_join::fork_join(fork_lane& lane) noexcept
    : frame_{seat_of(lane.current).frames, seat_of(lane.current).fiber, lane.current, {0}, seat_of(lane.current).level},
      identity_(seat_of(lane.current).identity),
      child_id_(0),
      lock_(0),
      has_outside_(false),
      hides_context_(false),
      is_called_fiber_(false),
      unusual_(0) {
  // NOLINTEND(cppcoreguidelines-pro-type-member-init)
  fork_seat& seat = seat_of(lane.current);
  if (seat.has_variables || !lane.thread_exceptions->empty()) [[unlikely]]
    put_aside();
  seat.frames = &frame_;
}

template <class FillFirst>
inline fork_join::fork_join(fork_lane& lane, fork_node* children, std::size_t count, fork_calls& calls,
                            FillFirst fill_first)
    : fork_join(lane) {
  fork_seat& seat = seat_of(lane.current);
  calls.seat = &seat;
  lane.forked.store(lane.forked.load(relaxed) + count, relaxed);
  std::size_t left = count;
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const bool is_cancelled = (seat.marks->load(relaxed) >> 8 & seat.level) != 0;
  const bool calls_here = seat.forks_inline && frame > seat.child_floor && !is_cancelled;
  if (calls_here) [[likely]] {
    for (; left > 1; --left) {
      children[left - 1].join = this;
      if (!lane.forks.try_push(&children[left - 1])) [[unlikely]]
        break;
    }
  }
  if (left != 1 || !calls_here) [[unlikely]] {
    fill_first();
    calls.left = begin_unusual(children, count, left);
    return;
  }
  calls.left = count - 1;
  calls.runs_first_here = true;
  seat.identity = reinterpret_cast<std::uintptr_t>(this);
  // A look without a fence: what a core that is just parking misses, the owner runs itself.
  if (count > 1 && lane.parked_cores->load(relaxed) != 0 && lane.searching_cores->load(relaxed) == 0) [[unlikely]]
    wake_a_core();
}

inline bool fork_join::next(fork_calls& calls) noexcept {
  if (calls.seat->has_variables) [[unlikely]]
    end_variables();
  if (calls.left == 0) [[unlikely]]
    return false;
  fork_lane* lane = lane_of_worker();
  if (lane->is_overdue.load(relaxed)) [[unlikely]]
    lane = &give_way();
  if (lane->forks.pop_expected() == nullptr) [[unlikely]]
    return false;
  --calls.left;
  child_id_ = 0;
  if (frame_.is_cancelled() || (calls.seat->marks->load(relaxed) >> 8 & calls.seat->level) != 0) [[unlikely]] {
    unusual_ |= lacks_results;
    return false;
  }
  return true;
}

inline void fork_join::join(const fork_calls& calls) {
  fork_seat& seat = *calls.seat;
  if (seat.has_variables) [[unlikely]]
    end_variables();
  seat.identity = identity_;
  if (calls.left != 0 || unusual_ != 0 || seat.frames != &frame_ || frame_.is_cancelled()) [[unlikely]] {
    finish_unusual(calls.left);
    return;
  }
  seat.frames = frame_.outer;
}

}  // namespace weft::inline v0::detail
