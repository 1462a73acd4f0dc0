// What channel, priority_channel and lifo_channel have in common: everything but the order of the values.
#pragma once

#include <weft/channel_closed.h>
#include <weft/deadline.h>
#include <weft/detail/channel_core.h>

#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft::inline v0 {

// Asks a constructor for a channel whose senders never wait.
struct unbounded_t {};
inline constexpr unbounded_t unbounded{};

// Values on their way between any number of senders and receivers, fibers and plain threads. An object with an address,
// as a mutex: share it by reference, or by std::shared_ptr.
//
// Thread safety: all members may be called at once.
// Blocks: a waiting fiber frees its core; a waiting thread blocks. An operation that did not wait may let others run,
//   once in a while; the try_ forms never do.
// Fairness: who waits longest is served first, and nobody overtakes it. A value is handed straight to a waiting
//   receiver, which runs next where it was handed over.
// Ordering: what was done before a value was sent is visible to who received it.
// Cancel: a call that has to wait, or that lets others run, throws weft::cancelled. Each call either happened or threw:
//   what was not sent stays with the sender, what was not received stays in the channel. A value whose move throws stays
//   where it was.
// Requires: moving and destroying a T (and comparing, in a priority_channel) neither waits nor uses the channel: it
//   is done under the channel's lock, which others spin for.
// Lifetime: may be destroyed once every call has returned; values still in it are destroyed with it. Destroying it while
//   it is waited for ends the program with a message.
template <class T, class Store>
class basic_channel : private detail::channel_core {
  static_assert(std::is_object_v<T> && std::is_same_v<T, std::remove_cv_t<T>> && std::is_move_constructible_v<T>,
                "a channel carries objects that can be moved");

 public:
  using value_type = T;

  // Sends, waiting while there is no room. A channel without a buffer has room only in a waiting receiver.
  // Throws: weft::channel_closed; std::bad_alloc (an unbounded channel); what copying or moving throws.
  void send(T&& value) { static_cast<void>(send_or_throw(value, detail::never)); }
  void send(const T& value) {
    T copy(value);
    send(std::move(copy));
  }

  // Sends if that is possible at once. False otherwise, and on a closed channel; `value` is then as it was.
  bool try_send(T&& value) { return offer_value(value, 0) == detail::channel_status::done; }
  bool try_send(const T& value) {
    T copy(value);
    return try_send(std::move(copy));
  }

  // As send(). False at the deadline; `value` is then as it was.
  bool send_until(T&& value, deadline limit) { return send_or_throw(value, limit.nanoseconds()); }
  bool send_until(const T& value, deadline limit) {
    T copy(value);
    return send_until(std::move(copy), limit);
  }
  bool send_for(T&& value, deadline limit) { return send_until(std::move(value), limit); }
  bool send_for(const T& value, deadline limit) { return send_until(value, limit); }

  // The next value, waiting for one. Empty once the channel is closed and nothing is left in it.
  // Throws: the error it was closed with, in place of an empty result; what moving throws.
  std::optional<T> receive() {
    std::optional<T> place;
    receive_into(place, detail::never);
    return place;
  }

  // The next value if there is one at once. Throws: as receive().
  std::optional<T> try_receive() {
    std::optional<T> place;
    receive_into(place, 0);
    return place;
  }

  // As receive(); empty at the deadline, too. is_drained() tells which.
  std::optional<T> receive_until(deadline limit) {
    std::optional<T> place;
    receive_into(place, limit.nanoseconds());
    return place;
  }
  std::optional<T> receive_for(deadline limit) { return receive_until(limit); }

  // Nothing more can be sent; what is in the channel can still be received. Waiting senders get weft::channel_closed,
  // waiting receivers an empty result. False if it was closed before: then nothing changes.
  // Blocks: never.
  bool close() noexcept { return close_with(nullptr); }

  // The same, but where receivers would get an empty result they get `error` thrown.
  bool close(std::exception_ptr error) noexcept { return close_with(std::move(error)); }

  // Closes, if it is open, and drops what is in the channel. Returns how many values that were; for join() they are done.
  std::size_t close_now() noexcept {
    close_with(nullptr);
    lock();
    Store dropped(std::move(store_));
    const std::size_t dropped_count = count_;
    forget(dropped_count);
    dropped.clear(dropped_count);  // Without the lock: destructors may do as they like.
    return dropped_count;
  }

  // How many values are in the buffer; those of waiting senders do not count.
  std::size_t size() const noexcept { return count(); }
  bool empty() const noexcept { return count() == 0; }
  // 0 for a channel without a buffer, SIZE_MAX for an unbounded one.
  std::size_t capacity() const noexcept { return channel_core::capacity(); }
  bool is_closed() const noexcept { return channel_core::is_closed(); }
  // Closed, and nothing is left: no receiver will ever get anything again.
  bool is_drained() const noexcept { return channel_core::is_drained(); }

  // A receiver has dealt with a value. Once that was called for every value ever sent, join() returns.
  // Throws: std::system_error (operation_not_permitted) if it was called more often than values were sent.
  void task_done() { channel_core::task_done(); }
  // Waits until every value that was sent has been dealt with, by task_done() or close_now().
  void join() { join_until(deadline::never()); }
  // The same; false at the deadline.
  bool join_until(deadline limit) { return channel_core::join_until(limit.nanoseconds()); }
  bool join_for(deadline limit) { return join_until(limit); }

  // Receives one value after the other: for (T& value : channel). Ends as receive() comes back empty.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    explicit iterator(basic_channel& from) : from_(&from) { ++*this; }
    T& operator*() const noexcept { return *current_; }
    iterator& operator++() {
      current_.reset();
      from_->receive_into(current_, detail::never);
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& i, std::default_sentinel_t) noexcept { return !i.current_.has_value(); }

   private:
    basic_channel* from_ = nullptr;
    mutable std::optional<T> current_;
  };
  iterator begin() { return iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 protected:
  basic_channel(std::size_t capacity, Store&& store) : channel_core(table, capacity), store_(std::move(store)) {}
  ~basic_channel() { store_.clear(count_); }

  // Sends and closes in one step. False if it is closed.
  bool send_last_value(T& value) { return send_last(std::addressof(value)) == detail::channel_status::done; }
  using channel_core::throw_closed;

 private:
  friend struct detail::channel_access;

  static basic_channel& self(detail::channel_core& c) noexcept { return static_cast<basic_channel&>(c); }
  static T& value_at(void* value) noexcept { return *static_cast<T*>(value); }
  static std::optional<T>& place_at(void* place) noexcept { return *static_cast<std::optional<T>*>(place); }

  static constexpr detail::channel_ops table = {
      [](void* place, void* value) { place_at(place).emplace(std::move(value_at(value))); },
      [](detail::channel_core& c, void* value) { self(c).store_.put(self(c).count_, std::move(value_at(value))); },
      [](detail::channel_core& c, void* place) { self(c).store_.take(self(c).count_, place_at(place)); },
      [](const detail::channel_core& c) { return static_cast<const basic_channel&>(c).store_.has_memory(); },
      [](detail::channel_core& c) { self(c).grow(); },
      [](detail::channel_core& c) noexcept { return self(c).store_.surplus(); },
      [](void* surplus) noexcept { Store::discard(surplus); }};

  void grow() {
    void* memory = store_.allocate(count());
    lock();
    store_.install(memory);
    unlock();
    if (memory != nullptr) Store::discard(memory);
  }

  WEFT_ALWAYS_INLINE detail::channel_status offer_value(T& value, std::int64_t limit) {
    lock();
    if (store_.has_memory() && may_put()) {
      const unlock_at_end hold{*this};
      store_.put(count_, std::move(value));
      note_put();
      return detail::channel_status::done;
    }
    return send_slow(std::addressof(value), limit);
  }

  WEFT_ALWAYS_INLINE bool send_or_throw(T& value, std::int64_t limit) {
    const detail::channel_status status = offer_value(value, limit);
    if (status == detail::channel_status::closed) [[unlikely]]
      throw_closed("weft::channel::send");
    return status == detail::channel_status::done;
  }

  WEFT_ALWAYS_INLINE void receive_into(std::optional<T>& place, std::int64_t limit) {
    lock();
    if (may_take()) {
      const unlock_at_end hold{*this};
      store_.take(count_, place);
      --count_;
    } else if (receive_slow(std::addressof(place), limit) == detail::channel_status::broken) [[unlikely]] {
      throw_close_error();
    }
  }

  Store store_;  // Under the lock.
};

}  // namespace weft::inline v0
