// An array whose length is known when it is made: in place where it is short, so that it costs no allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace weft::inline v0::detail {

// Up to `Short` elements lie in the object itself. Neither copied nor moved: elements stay where they are.
template <class T, std::size_t Short>
class small_array {
 public:
  // Makes `count` elements, as `T` without an initialiser does. Throws: std::bad_alloc.
  explicit small_array(std::size_t count) : count_(count) {
    static_assert(std::is_nothrow_default_constructible_v<T>);
    if (count > Short) elements_ = std::allocator<T>().allocate(count);
    for (T& each : *this) ::new (static_cast<void*>(std::addressof(each))) T;
  }

  ~small_array() {
    std::destroy(begin(), end());
    if (elements_ != in_place) std::allocator<T>().deallocate(elements_, count_);
  }
  small_array(const small_array&) = delete;
  small_array& operator=(const small_array&) = delete;

  T* begin() noexcept { return elements_; }
  T* end() noexcept { return elements_ + count_; }
  T& operator[](std::size_t i) noexcept { return elements_[i]; }

 private:
  union {
    T in_place[Short];
  };
  T* elements_ = in_place;
  const std::size_t count_;
};

}  // namespace weft::inline v0::detail
