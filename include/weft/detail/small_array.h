// An array whose length is known when it is made: in place where it is short, so that it costs no allocation.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace weft::inline v0::detail {

// Up to `Short` elements lie in the object itself. Neither copied nor moved: elements stay where they are.
template <class T, std::size_t Short>
class small_array {
 public:
  // Makes `count` elements, each by `T{}`. Throws: std::bad_alloc; what T's constructor throws.
  explicit small_array(std::size_t count) : small_array(count, [](std::size_t) { return T{}; }) {}

  // Element i is `make(i)`, made in order.
  template <class Make>
  small_array(std::size_t count, Make make) {
    if (count > Short) elements_ = std::allocator<T>().allocate(capacity_ = count);
    try {
      for (; count_ < count; ++count_) ::new (static_cast<void*>(elements_ + count_)) T(make(count_));
    } catch (...) {
      clear();
      throw;
    }
  }

  ~small_array() { clear(); }
  small_array(const small_array&) = delete;
  small_array& operator=(const small_array&) = delete;

  T* data() noexcept { return elements_; }
  std::size_t size() const noexcept { return count_; }
  T* begin() noexcept { return elements_; }
  T* end() noexcept { return elements_ + count_; }
  T& operator[](std::size_t i) noexcept { return elements_[i]; }

 private:
  void clear() noexcept {
    std::destroy(begin(), end());
    if (capacity_ != 0) std::allocator<T>().deallocate(elements_, capacity_);
  }

  union {
    T in_place_[Short];
  };
  T* elements_ = in_place_;
  std::size_t count_ = 0;
  std::size_t capacity_ = 0;  // Of the allocation; 0 in place.
};

}  // namespace weft::inline v0::detail
