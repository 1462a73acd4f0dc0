// Structured concurrency: fibers that end before the code that started them goes on.
//
//   weft::with_scope([&](weft::scope& crew) {
//     crew.spawn([&] { fetch(left); });    // children may use everything that lives around the scope
//     crew.spawn([&] { fetch(right); });
//   });                                    // both have ended here; the error of one has cancelled the other
#pragma once

#include <weft/attributes.h>
#include <weft/cancelled.h>
#include <weft/detail/cancel_frame.h>
#include <weft/detail/fiber_body.h>
#include <weft/detail/scope_child.h>
#include <weft/detail/wait_list_ends.h>

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft::inline v0 {

namespace detail {

// What was called has not come to its end, though nothing of the caller's has cancelled it: the runtime ends, and the caller
// is shielded or is about to hear of it. Throws: weft::cancelled if it has; weft::join_cancelled.
[[noreturn]] WEFT_API void throw_lost_call(const char* call);

}  // namespace detail

// What a scope makes of the outcomes of its children.
class scope_policy {
 public:
  // The first error cancels the rest and the body, and join() throws it.
  static constexpr scope_policy all() noexcept { return {kind::all, 0}; }
  // The first child that succeeds cancels the rest; join() throws only if none does.
  static constexpr scope_policy any() noexcept { return {kind::quorum, 1}; }
  // The same for `n` successes; where so many are not reached, that shows when the last child has ended.
  static constexpr scope_policy quorum(std::uint32_t n) noexcept { return {kind::quorum, n}; }
  // Nothing cancels anything, and join() throws no child's error: ask errors() after it.
  static constexpr scope_policy collect() noexcept { return {kind::collect, 0}; }

 private:
  friend class scope;
  enum class kind : std::uint8_t { all, quorum, collect };
  constexpr scope_policy(kind what, std::uint32_t n) noexcept : what_(what), needed_(n) {}
  kind what_;
  std::uint32_t needed_;
};

// The errors of several children of one scope, in the order in which they came.
class WEFT_API scope_errors : public std::exception {
 public:
  explicit scope_errors(std::vector<std::exception_ptr> errors);
  const char* what() const noexcept override { return text_.c_str(); }
  const std::vector<std::exception_ptr>& errors() const noexcept { return errors_; }

 private:
  std::vector<std::exception_ptr> errors_;
  std::string text_;
};

// Owns fibers. Belongs to the fiber that makes it, and ends there. with_scope() is the usual way to one: it can throw,
// and cancel its body. An object of its own needs join(); a destructor without it cancels the children, waits for them,
// shielded, and gives their errors to options::on_lost_error.
//
// A cancellation that reaches the owner inside of the scope (its own, a timeout's, an error of a child under
// scope_policy::all()) cancels the children too, with its reason.
//
// Thread safety: spawn() and cancel() may be called by the owner and by the children, all at once; the rest by the owner.
// Throws (constructor): std::system_error (operation_not_permitted) outside of fibers; std::invalid_argument for a
//   quorum of 0.
class WEFT_API scope {
 public:
  explicit scope(scope_policy policy = scope_policy::all());
  ~scope();
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

  // Starts a child. Its result is dropped; its error goes to the scope. In a cancelled scope it never runs. There is no form
  // with arguments for `f`: use a lambda.
  // Throws: std::system_error (operation_not_permitted) once the scope was joined, and outside of fibers;
  //   std::invalid_argument (attributes); std::bad_alloc.
  template <std::invocable F>
  void spawn(F&& f, source_location site = source_location::current()) {
    start(nullptr, site, false, std::forward<F>(f));
  }
  template <std::invocable F>
  void spawn(const attributes& wanted, F&& f, source_location site = source_location::current()) {
    start(&wanted, site, false, std::forward<F>(f));
  }

  // Starts a child that serves the others: once they and the body have ended, it is cancelled.
  template <std::invocable F>
  void spawn_background(F&& f, source_location site = source_location::current()) {
    start(nullptr, site, true, std::forward<F>(f));
  }

  // Waits for all children; from then on none may be spawned. Calls those that have not started on the owner's stack, one
  // after the other, as gather() does: unless they serve in the background or want a core, a stack, a migration or
  // preserve_fp of their own, other cores have taken them, or the owner is under a shield.
  // Throws: according to the policy the error of a child, or weft::scope_errors if there are several. Under a quorum,
  //   weft::join_cancelled if too few succeed and none fails; under all(), the same if children were cut short by the end of
  //   the runtime and the owner, being shielded, was not.
  // Cancel: cancels the children, waits for them, and throws weft::cancelled. Errors that are not thrown for that go to
  //   options::on_lost_error.
  // Blocks: fiber.
  void join();

  // Cancels all children, and what the owner does in the scope.
  void cancel(cancel_reason why = cancel_reason::user) noexcept;

  bool is_cancelled() const noexcept { return frame_.is_cancelled(); }

  // Children that have not ended.
  std::size_t live() const noexcept;

  // After join(): what the children threw, in order.
  const std::vector<std::exception_ptr>& errors() const noexcept { return errors_; }

 private:
  friend struct detail::scope_link;
  template <class F>
  friend void with_scope(scope_policy policy, F&& body);

  template <class F>
  void start(const attributes* wanted, source_location site, bool is_background, F&& f) {
    using body = detail::scope_body<std::decay_t<F>>;
    detail::fiber_record* const fiber =
        detail::new_fiber(nullptr, wanted, detail::scope_body_type<std::decay_t<F>>, site, true);
    try {
      ::new (detail::body_of(fiber)) body(*this, fiber, is_background, std::forward<F>(f));
    } catch (...) {
      detail::abandon(fiber);
      throw;
    }
    detail::launch(fiber);
  }

  void enlist(detail::scope_link& child);
  void child_ended(detail::scope_link& child) noexcept;
  void note_error(std::exception_ptr error) noexcept;
  void cancel_children(cancel_reason why) noexcept;
  void tell_children(cancel_reason why) noexcept;
  void close_with(std::exception_ptr of_body);
  bool call_children() noexcept;
  bool wait_for_children(bool cancellable) noexcept;
  void throw_outcome(std::exception_ptr of_body);
  void report_errors() noexcept;
  void leave() noexcept;

  detail::cancel_frame frame_;
  mutable detail::atomic<std::uint32_t> lock_{0};  // Guards all that follows.
  std::uint32_t live_ = 0;
  std::uint32_t background_ = 0;  // Of the live ones.
  std::uint32_t successes_ = 0;
  scope_policy policy_;
  bool is_closed_ = false;
  bool is_in_frame_ = true;
  bool lost_child_ = false;               // One was cancelled, and not by the scope: its runtime ends.
  bool was_last_ = false;                 // The child that the owner has just called. The owner only.
  std::uint8_t told_ = 0;                 // The cancel_reason + 1 that children got.
  detail::scope_link* untold_ = nullptr;  // Children that do not know of it; then those that do.
  detail::scope_link* told_children_ = nullptr;
  const detail::scope_link* called_ = nullptr;  // The child that the owner calls in join(), and the frame of the call.
  detail::cancel_frame* called_in_ = nullptr;
  void* joiner_ = nullptr;
  std::vector<std::exception_ptr> errors_;
};

// Calls `body(scope&)`, then waits for the children. An error of the body cancels them, and is thrown with theirs. The body
// may join the scope itself; then what that threw, or it throws afterwards, goes on.
// Cancel, Throws: as scope::join().
template <class F>
void with_scope(scope_policy policy, F&& body) {
  scope crew(policy);
  std::exception_ptr error;
  try {
    std::invoke(std::forward<F>(body), crew);
  } catch (...) {
    error = std::current_exception();
  }
  if (!crew.is_closed_) {
    crew.close_with(std::move(error));
  } else if (error != nullptr) {
    std::rethrow_exception(std::move(error));
  }
}

template <std::invocable<scope&> F>
void with_scope(F&& body) {
  with_scope(scope_policy::all(), std::forward<F>(body));
}

}  // namespace weft::inline v0
