// A singly linked queue whose link lives in its elements.
#pragma once

#include <cassert>

namespace weft::inline v0::detail {

// First in, first out, over the member `Link` of T.
//
// Thread safety: none; one owner.
// Lifetime: an element stays alive, and its link untouched by others, while it is queued.
template <class T, T* T::*Link>
class intrusive_fifo {
 public:
  intrusive_fifo() = default;
  intrusive_fifo(const intrusive_fifo&) = delete;
  intrusive_fifo& operator=(const intrusive_fifo&) = delete;

  bool empty() const noexcept { return first_ == nullptr; }

  // Returns: the oldest element, still queued; nullptr when empty.
  T* front() const noexcept { return first_; }

  void push_back(T& element) noexcept { append_chain(element, element); }

  void push_front(T& element) noexcept {
    element.*Link = first_;
    if (first_ == nullptr) last_ = &element;
    first_ = &element;
  }

  // Returns: the oldest element, no longer queued and with a null link; nullptr when empty.
  T* pop_front() noexcept {
    T* element = first_;
    if (element == nullptr) return nullptr;
    first_ = element->*Link;
    if (first_ == nullptr) last_ = nullptr;
    element->*Link = nullptr;
    return element;
  }

  // Queues `first` to `last`, which are already linked to each other in that order.
  void append_chain(T& first, T& last) noexcept {
    last.*Link = nullptr;
    if (last_ == nullptr) {
      first_ = &first;
    } else {
      last_->*Link = &first;
    }
    last_ = &last;
  }

  // Moves all of `other` behind the last element of this queue, in order.
  void append(intrusive_fifo& other) noexcept {
    assert(&other != this);
    if (other.empty()) return;
    append_chain(*other.first_, *other.last_);
    other.first_ = other.last_ = nullptr;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace weft::inline v0::detail
