// A variable of which each fiber has its own.
#pragma once

#include <weft/detail/config.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace weft::inline v0 {

namespace detail {

// Names a variable: the index is its place in each fiber's table, the serial number tells it from others that had the
// same place before.
class WEFT_API local_key {
 public:
  local_key();  // Throws: std::bad_alloc.
  ~local_key();
  local_key(const local_key&) = delete;
  local_key& operator=(const local_key&) = delete;

  std::uint32_t index() const noexcept;
  std::uint64_t serial() const noexcept { return serial_; }

 private:
  struct place;
  friend class local_places;

  place* place_;
  std::uint64_t serial_;
};

// One fiber's value of one variable.
struct local_node {
  void (*destroy)(local_node*) noexcept = nullptr;
  local_node* older = nullptr;
  std::uint64_t serial = 0;
  std::uint32_t index = 0;
};

// The calling fiber's, or thread's; null if it has none.
WEFT_API local_node* find_local(const local_key& key) noexcept;
// Throws: std::bad_alloc; std::system_error on a worker thread outside of its fibers. Then `node` is untouched.
WEFT_API void add_local(const local_key& key, local_node& node);

}  // namespace detail

// Each fiber has its own value, made at its first use, and destroyed at the fiber's end, the newest first. A plain
// thread has its own as well, destroyed at the thread's end; those of the main thread, and of threads that the process
// does not wait for, are not destroyed. Unlike thread_local it holds on a fiber that changes threads.
//
//   weft::fiber_local<std::vector<char>> scratch;                           // as `static`
//   weft::fiber_local<session> current{[] { return session::open(); }};
//   scratch->resize(4096);
//
// Thread safety: all members may be called at once; a value is its fiber's alone.
// Lifetime: a value lives until its fiber's end, also when the variable is gone by then. Destructors of values may wait
//   (shielded from cancellation) and use other variables, even make new values, but not their own; joiners wait for them.
// Complexity: get() of a value that is there is a call, three loads and a comparison.
template <class T>
class fiber_local {
 public:
  // Values begin as T().
  fiber_local() requires std::default_initializable<T>
  = default;

  // Values begin as what `make()` returns; it is called by many fibers at once.
  template <class F>
  requires(std::is_invocable_r_v<T, F&> &&
           !std::same_as<std::remove_cvref_t<F>, fiber_local>) explicit fiber_local(F make)
      : make_(std::move(make)) {}

  // The calling fiber's value.
  // Throws: what making it throws; std::bad_alloc; std::system_error (operation_not_permitted) on a worker thread
  //   outside of its fibers.
  T& get() {
    if (detail::local_node* const n = detail::find_local(key_)) [[likely]]
      return static_cast<node*>(n)->value;
    return make_here();
  }
  T& operator*() { return get(); }
  T* operator->() { return &get(); }

  // The same, or null if the calling fiber has not used it yet.
  T* find() noexcept {
    detail::local_node* const n = detail::find_local(key_);
    return n != nullptr ? &static_cast<node*>(n)->value : nullptr;
  }

 private:
  struct node : detail::local_node {
    T value;
    node() : value() { destroy = &destroy_node; }
    explicit node(const std::function<T()>& make) : value(make()) { destroy = &destroy_node; }
    static void destroy_node(detail::local_node* n) noexcept { delete static_cast<node*>(n); }
  };

  T& make_here() {
    std::unique_ptr<node> made;
    if constexpr (std::default_initializable<T>) {
      made.reset(make_ ? new node(make_) : new node());
    } else {
      made.reset(new node(make_));
    }
    detail::add_local(key_, *made);
    return made.release()->value;
  }

  detail::local_key key_;
  std::function<T()> make_;
};

}  // namespace weft::inline v0
