// Variables that children inherit: the request that a fiber works for, its user, its trace.
#pragma once

#include <weft/detail/atomic.h>
#include <weft/detail/config.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace weft::inline v0 {

namespace detail {

struct context_array;

// A value, which nobody changes; shared by all contexts that hold it.
struct WEFT_API context_value {
  using destroy_function = void (*)(context_value*) noexcept;

  context_value(std::uint64_t its_key, destroy_function f) noexcept : key(its_key), destroy(f) {}
  void release() noexcept {
    if (references.load(acquire) == 1 || references.fetch_sub(1, acq_rel) == 1) destroy(this);
  }

  const std::uint64_t key;
  const destroy_function destroy;
  atomic<std::uint32_t> references{1};
};

WEFT_API std::uint64_t new_context_key() noexcept;
// In the context of the calling fiber or thread; null if there is none.
WEFT_API context_value* find_context_value(std::uint64_t key) noexcept;
// Puts `value`, whose reference it takes, in the place of the former value of `key`, whose reference it returns; null
// stands for none. Throws: std::bad_alloc; std::system_error on a worker outside of fibers; then nothing has changed.
WEFT_API context_value* exchange_context_value(std::uint64_t key, context_value* value);
WEFT_API void exchange_context(context_array*& other);
WEFT_API context_array* share_context() noexcept;
WEFT_API void release_context(context_array* array) noexcept;
[[noreturn]] WEFT_API void refuse_context_get(const char* name);
[[noreturn]] WEFT_API void refuse_context_reset(const char* name, bool is_used);
[[noreturn]] WEFT_API void refuse_context_run();

}  // namespace detail

// As Python's contextvars: each fiber has a context, which maps such variables to values. A spawned fiber begins with
// the context of who spawned it, of a plain thread too, at that moment; what either sets later the other does not see.
// Inheriting costs one reference, however many variables are set.
//
//   const weft::context_local<std::string> user{"user", "nobody"};         // as `static`
//   const auto bound = user.bind("ada");                                     // for this scope and its children
//   weft::spawn([] { greet(user.get()); }).join();
//
// Thread safety: all members may be called at once, each works on its caller's own context. Values are shared between
//   fibers and never change: make T safe to read from many.
template <class T>
class context_local {
 public:
  // What set() replaced, for reset().
  class token {
   public:
    token(token&& other) noexcept
        : key_(std::exchange(other.key_, 0)), former_(std::exchange(other.former_, nullptr)) {}
    token& operator=(token&& other) noexcept {
      std::swap(key_, other.key_);
      std::swap(former_, other.former_);
      return *this;
    }
    ~token() {
      if (former_ != nullptr) former_->release();
    }

   private:
    friend class context_local;
    token(std::uint64_t key, detail::context_value* former) noexcept : key_(key), former_(former) {}

    std::uint64_t key_;  // 0 once it is used.
    detail::context_value* former_;
  };

  // Ends what bind() began, in the fiber that began it; of several, the newest first. Ends the program if there is no
  // memory for it.
  class [[nodiscard("the value is bound only as long as this lives")]] binding {
   public:
    binding(const binding&) = delete;
    binding& operator=(const binding&) = delete;
    ~binding() { variable_.reset(std::move(former_)); }

   private:
    friend class context_local;
    binding(const context_local& variable, token former) noexcept : variable_(variable), former_(std::move(former)) {}

    const context_local& variable_;
    token former_;
  };

  // The name stands in error texts; it must outlive the variable.
  explicit context_local(const char* name) noexcept : name_(name) {}
  context_local(const char* name, T initial) : name_(name), initial_(std::move(initial)) {}
  context_local(const context_local&) = delete;
  context_local& operator=(const context_local&) = delete;

  // The value in the calling fiber's context, else the initial one.
  // Throws: std::out_of_range if there is neither.
  // Lifetime: until the caller sets, resets or unbinds this variable, or ends.
  const T& get() const {
    if (const T* const value = find()) return *value;
    detail::refuse_context_get(name_);
  }

  // The same, or null.
  const T* find() const noexcept {
    if (detail::context_value* const v = detail::find_context_value(key_)) return &static_cast<node*>(v)->value;
    return initial_ ? &*initial_ : nullptr;
  }

  // Sets the value in the calling fiber's context.
  // Throws: what moving the value throws; std::bad_alloc; std::system_error (operation_not_permitted) on a worker thread
  //   outside of its fibers. Then nothing has changed.
  token set(T value) const { return token(key_, exchange(new node(key_, std::move(value)))); }

  // Puts back what was there before the set() that gave `former`, also if that was nothing. To be called by who called
  // set(). Throws: std::invalid_argument if `former` was used before or is another variable's; std::bad_alloc, and then nothing
  // has changed.
  void reset(token&& former) const {
    if (former.key_ != key_) detail::refuse_context_reset(name_, former.key_ == 0);
    detail::context_value* const before = detail::exchange_context_value(key_, former.former_);
    former.former_ = nullptr;
    former.key_ = 0;
    if (before != nullptr) before->release();
  }

  // set() for a scope.
  binding bind(T value) const { return binding(*this, set(std::move(value))); }

  const char* name() const noexcept { return name_; }

 private:
  struct node : detail::context_value {
    T value;
    node(std::uint64_t its_key, T&& v) : context_value(its_key, &destroy_node), value(std::move(v)) {}
    static void destroy_node(detail::context_value* v) noexcept { delete static_cast<node*>(v); }
  };

  detail::context_value* exchange(detail::context_value* value) const {
    try {
      return detail::exchange_context_value(key_, value);
    } catch (...) {
      if (value != nullptr) value->release();
      throw;
    }
  }

  const std::uint64_t key_ = detail::new_context_key();
  const char* const name_;
  const std::optional<T> initial_;
};

// The values of all variables at one moment, to be used elsewhere: in a callback, or by another fiber. Copying it costs
// one reference. One object is one owner's.
class WEFT_API context {
 public:
  context() noexcept = default;  // No variable is set.
  static context current() noexcept { return context(detail::share_context()); }

  context(const context& other) noexcept;
  context(context&& other) noexcept : array_(std::exchange(other.array_, nullptr)) {}
  context& operator=(context other) noexcept {
    std::swap(array_, other.array_);
    return *this;
  }
  ~context() {
    if (array_ != nullptr) detail::release_context(array_);
  }

  // Calls `f(args...)` in this context instead of the caller's own. What it sets stays in this context.
  // Throws: what `f` throws; std::system_error on a worker thread outside of its fibers; std::logic_error from within
  //   another run() of this object.
  // While `f` runs this object stands for the caller's own context: it is not to be copied or moved then.
  template <class F, class... Args>
  decltype(auto) run(F&& f, Args&&... args) {
    if (is_entered_) detail::refuse_context_run();
    detail::exchange_context(array_);
    is_entered_ = true;
    struct leaving {
      context& self;
      ~leaving() {
        detail::exchange_context(self.array_);
        self.is_entered_ = false;
      }
    } at_end{*this};
    return std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
  }

 private:
  explicit context(detail::context_array* array) noexcept : array_(array) {}

  detail::context_array* array_ = nullptr;
  bool is_entered_ = false;
};

}  // namespace weft::inline v0
