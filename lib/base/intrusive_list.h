// A doubly linked list whose links live in its elements: no allocation, and removal from anywhere.
#pragma once

#include <cassert>
#include <cstddef>
#include <iterator>

namespace weft::inline v0::detail {

// The links of one element. An element is in at most one list at a time.
//
// Thread safety: none; a list and the links of its elements are guarded together.
// Lifetime: an element leaves its list before it dies.
struct list_node {
  list_node* previous = nullptr;
  list_node* next = nullptr;

  list_node() = default;
  list_node(const list_node&) = delete;
  list_node& operator=(const list_node&) = delete;

  bool linked() const noexcept { return next != nullptr; }

  // Leaves the list, whichever it is in.
  // Requires: linked().
  void unlink() noexcept {
    assert(linked());
    previous->next = next;
    next->previous = previous;
    previous = next = nullptr;
  }

  // Requires: !linked(), and `position` is in a list or heads one.
  void link_before(list_node& position) noexcept {
    assert(!linked());
    next = &position;
    previous = position.previous;
    previous->next = this;
    position.previous = this;
  }
};

// A circular list of T, which derives from list_node. The list object is its own end: it does not move.
template <class T>
class intrusive_list {
 public:
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    iterator() = default;
    explicit iterator(list_node* at) noexcept : at_(at) {}
    T& operator*() const noexcept { return static_cast<T&>(*at_); }
    T* operator->() const noexcept { return static_cast<T*>(at_); }
    iterator& operator++() noexcept {
      at_ = at_->next;
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(iterator, iterator) = default;

   private:
    list_node* at_ = nullptr;
  };

  intrusive_list() noexcept { head_.previous = head_.next = &head_; }
  ~intrusive_list() { assert(empty()); }
  intrusive_list(const intrusive_list&) = delete;
  intrusive_list& operator=(const intrusive_list&) = delete;

  bool empty() const noexcept { return head_.next == &head_; }

  void push_back(T& element) noexcept { as_node(element).link_before(head_); }
  void push_front(T& element) noexcept { as_node(element).link_before(*head_.next); }

  // Returns: the first or last element, still in the list; nullptr when empty.
  T* front() const noexcept { return empty() ? nullptr : static_cast<T*>(head_.next); }
  T* back() const noexcept { return empty() ? nullptr : static_cast<T*>(head_.previous); }

  // Returns: the first element, no longer in the list; nullptr when empty.
  T* pop_front() noexcept {
    T* first = front();
    if (first != nullptr) as_node(*first).unlink();
    return first;
  }

  // Requires: `element` is in this list.
  void unlink(T& element) noexcept { as_node(element).unlink(); }

  // Moves all of `other` behind the last element of this list, in order.
  void append(intrusive_list& other) noexcept {
    if (other.empty() || &other == this) return;
    list_node* first = other.head_.next;
    list_node* last = other.head_.previous;
    first->previous = head_.previous;
    head_.previous->next = first;
    last->next = &head_;
    head_.previous = last;
    other.head_.previous = other.head_.next = &other.head_;
  }

  // An iterator to an element stays valid until that element is unlinked.
  iterator begin() const noexcept { return iterator(head_.next); }
  iterator end() const noexcept { return iterator(const_cast<list_node*>(&head_)); }

 private:
  static list_node& as_node(T& element) noexcept { return element; }

  list_node head_;
};

}  // namespace weft::inline v0::detail
