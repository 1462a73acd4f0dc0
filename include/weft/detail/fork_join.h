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

// Belongs to the fiber in whose frame it lies. Requires: join() is called before it is left.
class WEFT_API fork_join {
 public:
  // Forks the children. The nodes stay where they are until join() has returned or thrown. The first one is not looked at
  // before `fill_first()` was called, which happens only if that child cannot be called here.
  // Throws: std::system_error (operation_not_permitted) outside of fibers; then nothing was forked.
  template <class FillFirst>
  WEFT_ALWAYS_INLINE fork_join(fork_node* children, std::size_t count, FillFirst fill_first);
  ~fork_join() {}  // NOLINT(modernize-use-equals-default): the errors have been seen to.
  fork_join(const fork_join&) = delete;
  fork_join& operator=(const fork_join&) = delete;

  // Asked for the first child, then for each other one in order. True: the caller is this child now, and calls its
  // function; where that throws it calls failed(). False: it runs, or ran, elsewhere, or never will.
  bool first() const noexcept { return runs_first_here_; }
  WEFT_ALWAYS_INLINE bool next() noexcept;

  // In the handler of what a child threw.
  void failed() noexcept;

  // Of the child that is called on the owner's stack.
  std::uint64_t id_of_child(core& c) noexcept;

  // Waits for the children.
  // Throws: what a child threw, which cancels the others; scope_errors if there are several; weft::cancelled.
  WEFT_ALWAYS_INLINE void join();

 private:
  friend class core;
  friend struct forked_fiber;
  friend struct called_children;

  // What is in the upper half of state_. The first: something of the owner's must not be seen by children, see put_aside().
  static constexpr std::uint64_t has_put_aside = std::uint64_t{1} << 32;
  static constexpr std::uint64_t lacks_results = std::uint64_t{1} << 33;

  bool is_cancelled() const noexcept {
    return frame_.is_cancelled() || (seat_of(frame_.stack).marks->load(relaxed) >> 8 & frame_.level) != 0;
  }
  std::uint32_t not_called() const noexcept { return static_cast<std::uint32_t>(state_); }
  [[noreturn]] static void refuse_outside();
  static void wake_a_core() noexcept;
  void begin_unusual(fork_node* children, std::size_t count, std::size_t left) noexcept;
  void end_variables() noexcept;
  void put_aside() noexcept;
  void take_back() noexcept;
  fork_lane& give_way() noexcept;
  fiber_record* send_out(core& c, fork_node& n) noexcept;
  void fail_to_send_out(fork_node& n, fiber_record* unlaunched) noexcept;
  void note_error(std::exception_ptr error) noexcept;
  void ended_outside(fork_node& n, bool has_result) noexcept;
  void cancel_outside(cancel_reason why) noexcept;
  void wait_outside() noexcept;
  void finish_unusual();
  [[noreturn]] void throw_outcome();

  // The owner only.
  cancel_frame frame_;
  std::uintptr_t identity_;     // The owner's, from before.
  std::uint64_t state_;         // Lower half: the children that were not called here, or not yet.
  std::uint64_t child_id_;      // Of the child that is called here, once it was asked for.
  std::uint32_t child_id_age_;  // not_called() at that time: each child has another one.

  // Guarded by lock_.
  std::uint32_t wanted_outside_;
  void* joiner_ = nullptr;       // Waits for so many.
  fork_node* untold_ = nullptr;  // Outside children that do not know of a cancellation; then those that do.
  fork_node* told_ = nullptr;
  union {
    fork_errors errors;  // As long as the join: throw_outcome() ends both where there are any.
  };
  atomic<std::uint32_t> lock_{0};
  std::uint32_t ended_outside_ = 0;
  bool is_told_ = false;  // Outside children are cancelled, those to come too.
  bool lacks_outside_results_ = false;
  cancel_reason told_as_;

  bool runs_first_here_ = false;  // The owner's.
  bool hides_context_ = false;    // Of the owner; does not change once there are children, so thieves may ask.

  // The owner's, put aside.
  unsigned uncaught_exceptions_;
  void* caught_exceptions_;
  context_array* context_;
  local_table* locals_;
};

// NOLINTBEGIN(cppcoreguidelines-pro-type-member-init): what is not needed yet is set when it is.
template <class FillFirst>
inline fork_join::fork_join(fork_node* children, std::size_t count, FillFirst fill_first) : errors{} {
  // NOLINTEND(cppcoreguidelines-pro-type-member-init)
  fork_lane* const lane = lane_here();
  if (lane == nullptr || lane->current == nullptr) [[unlikely]]
    refuse_outside();
  fork_seat& seat = seat_of(lane->current);
  frame_.stack = lane->current;
  frame_.fiber = seat.fiber;
  identity_ = seat.identity;
  state_ = count;
  child_id_age_ = static_cast<std::uint32_t>(count);
  if (seat.has_variables || !lane->thread_exceptions->empty()) [[unlikely]]
    put_aside();
  frame_.level = seat.level;
  frame_.outer = seat.frames;
  seat.frames = &frame_;
  lane->forked.store(lane->forked.load(relaxed) + count, relaxed);
  std::size_t left = count;
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const bool calls_here = seat.forks_inline && frame > seat.child_floor && !is_cancelled();
  if (calls_here) [[likely]] {
    for (; left > 1; --left) {
      children[left - 1].join = this;
      if (!lane->forks.try_push(&children[left - 1])) [[unlikely]]
        break;
    }
  }
  if (left != 1 || !calls_here) [[unlikely]] {
    fill_first();
    begin_unusual(children, count, left);
    return;
  }
  --state_;
  runs_first_here_ = true;
  seat.identity = reinterpret_cast<std::uintptr_t>(this);
  // A look without a fence: what a core that is just parking misses, the owner runs itself.
  if (count > 1 && lane->parked_cores->load(relaxed) != 0 && lane->searching_cores->load(relaxed) == 0) [[unlikely]]
    wake_a_core();
}

inline bool fork_join::next() noexcept {
  if (seat_of(frame_.stack).has_variables) [[unlikely]]
    end_variables();
  if (not_called() == 0) [[unlikely]]
    return false;
  fork_lane* lane = lane_of_worker();
  if (lane->is_overdue.load(relaxed)) [[unlikely]]
    lane = &give_way();
  if (lane->forks.pop() == nullptr) [[unlikely]]
    return false;
  --state_;
  if (is_cancelled()) [[unlikely]] {
    state_ |= lacks_results;
    return false;
  }
  return true;
}

inline void fork_join::join() {
  fork_seat& seat = seat_of(frame_.stack);
  if (seat.has_variables) [[unlikely]]
    end_variables();
  seat.identity = identity_;
  if (state_ != 0 || seat.frames != &frame_ || frame_.is_cancelled()) [[unlikely]] {
    finish_unusual();
    return;
  }
  seat.frames = frame_.outer;
}

}  // namespace weft::inline v0::detail
