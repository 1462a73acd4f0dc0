#include "scheduler/completion.h"

#include "platform/thread.h"
#include "scheduler/callback.h"
#include "scheduler/watched_end.h"

#include <utility>

namespace weft::inline v0::detail {

namespace {

wait_node* node_of(std::uintptr_t word) noexcept { return reinterpret_cast<wait_node*>(word); }

void pause(int& spins) noexcept {
  if (++spins < 100) {
    spin_pause();
  } else {
    yield_thread();
  }
}

}  // namespace

std::uintptr_t completion::lock() noexcept {
  for (int spins = 0;; pause(spins)) {
    std::uintptr_t seen = word_.load(relaxed);
    if ((seen & done_word) != 0) return done_word;
    // Acquire: pairs with the release of the previous holder, whose list we go on with.
    if ((seen & lock_bit) == 0 && word_.compare_exchange_weak(seen, seen | lock_bit, acquire, relaxed)) return seen;
  }
}

bool completion::add_slow(wait_node& n) noexcept {
  const std::uintptr_t first = lock();
  if (first == done_word) return false;
  n.previous = nullptr;
  n.next = node_of(first);
  if (n.next != nullptr) n.next->previous = &n;
  word_.store(reinterpret_cast<std::uintptr_t>(&n), release);  // Pairs with lock().
  return true;
}

void completion::remove(wait_node& n) noexcept {
  std::uintptr_t first = lock();
  if (first == done_word) {
    wait_out_finisher();  // It may be looking at `n` until then.
    return;
  }
  if (n.next != nullptr) n.next->previous = n.previous;
  if (n.previous != nullptr) {
    n.previous->next = n.next;
  } else {
    first = reinterpret_cast<std::uintptr_t>(n.next);
  }
  word_.store(first, release);  // Pairs with lock().
}

void completion::wait_out_finisher() const noexcept {
  for (int spins = 0; !done();) pause(spins);
}

void completion::discard() noexcept {
  std::uintptr_t word = word_.load(relaxed);  // Nobody else uses it any more.
  word_.store(0, relaxed);
  if (word == done_word) return;
  for (wait_node* n = node_of(word); n != nullptr;) drop_callback(std::exchange(n, n->next));
}

void completion::finish_and_wake() noexcept {
  std::uintptr_t seen = word_.load(relaxed);
  for (int spins = 0;;) {
    if ((seen & lock_bit) == 0) {
      // Acquire: the nodes, from add() and lock().
      if (word_.compare_exchange_weak(seen, finishing_word, acquire, relaxed)) break;
    } else {
      pause(spins);
      seen = word_.load(relaxed);
    }
  }
  wait_node* claimed = nullptr;
  wait_node* callbacks = nullptr;
  for (wait_node* n = node_of(seen); n != nullptr;) {
    wait_node* const next = n->next;
    // A node that somebody else claimed is forgotten here; its owner waits for done and leaves.
    if (is_watched_end(*n)) {
      // With its watcher claimed, the node stays, and may carry it; else it may be gone.
      if (wait_record* const watcher = note_watched_end(static_cast<watched_end&>(*n))) {
        n->who.record = watcher;
        n->next = claimed;
        claimed = n;
      }
    } else if (is_callback(*n)) {
      n->next = callbacks;
      callbacks = n;
    } else if (claim(n->who, wake_reason::notified)) {
      n->next = claimed;
      claimed = n;
    }
    n = next;
  }
  word_.store(done_word, release);  // Pairs with done(). The object may be gone from here on.
  while (claimed != nullptr) {
    wait_record& record = *claimed->who.record;
    claimed = claimed->next;  // Read first: the owner's frame, and the node in it, may be gone after make_ready().
    make_ready(record);
  }
  if (callbacks != nullptr) run_callbacks(callbacks);
}

}  // namespace weft::inline v0::detail
