// An inbox: anyone drops something in, anyone takes all of it at once.
//
// Roles: *senders* push one element or a chain; a *taker* takes everything. Any thread may be either, at any time.
// Invariant: each element pushed is returned by exactly one take_all(). The elements form a stack below `newest_`.
// Protocol:
//   push: link to the newest element seen, publish with a compare-and-swap. An element that was taken and pushed
//     again meanwhile does no harm (it is the newest again, and our link to it is right), because nothing is popped
//     singly.
//   take: one exchange with null, then turn the stack round.
#pragma once

#include <weft/detail/atomic.h>

namespace weft::inline v0::detail {

// The link of one element; an element is in at most one inbox, or in one chain that take_all() returned.
struct inbox_node {
  inbox_node* next_in_inbox = nullptr;
};

// Thread safety: all members may be called at once, by any thread.
// Ordering: what a sender did before it pushed is visible to the taker. Neither push() nor empty() orders the caller
//   against other words: who looks for sleepers after a push, or re-scans before it sleeps, puts a full fence between.
// Lifetime: elements outlive their stay; the taker may free an element as soon as it has read its link.
class inbox {
 public:
  inbox() = default;
  inbox(const inbox&) = delete;
  inbox& operator=(const inbox&) = delete;

  // Returns: whether the inbox was empty.
  bool push(inbox_node& element) noexcept { return link(element, element); }

  // Pushes `first` to `last`, which are linked in the order in which they shall be taken, in one step.
  // Returns: whether the inbox was empty.
  bool push_chain(inbox_node& first, inbox_node& last) noexcept {
    last.next_in_inbox = nullptr;
    reverse(&first);
    return link(last, first);
  }

  // Returns: all elements as a chain in the order of their pushes, ended by null; null if there were none.
  inbox_node* take_all() noexcept {
    if (empty()) return nullptr;
    // Acquire pairs with link() of every sender in the stack: each of their exchanges read what the one before wrote.
    return reverse(newest_.exchange(nullptr, acquire));
  }

  // A hint: an element pushed at this moment may be missed, and its sender looks for sleepers later.
  bool empty() const noexcept { return newest_.load(relaxed) == nullptr; }

 private:
  // `newest` leads through links to `oldest`.
  bool link(inbox_node& newest, inbox_node& oldest) noexcept {
    inbox_node* before = newest_.load(relaxed);  // Only compared, never followed: stale means one more round.
    do {
      oldest.next_in_inbox = before;
    } while (!newest_.compare_exchange_weak(before, &newest, release, relaxed));  // Pairs with take_all().
    return before == nullptr;
  }

  static inbox_node* reverse(inbox_node* chain) noexcept {
    inbox_node* turned = nullptr;
    while (chain != nullptr) {
      inbox_node* const rest = chain->next_in_inbox;
      chain->next_in_inbox = turned;
      turned = chain;
      chain = rest;
    }
    return turned;
  }

  atomic<inbox_node*> newest_{nullptr};
};

}  // namespace weft::inline v0::detail
