// One value, sent once.
//
//   weft::oneshot<reply> answer;
//   requests.send({question, &answer});
//   std::optional<reply> got = answer.receive_for(5s);
#pragma once

#include <weft/basic_channel.h>
#include <weft/select.h>

#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace weft::inline v0 {

namespace detail {
// Room for one value, in the channel itself.
template <class T>
class single_store {
 public:
  single_store() noexcept {}
  single_store(single_store&&) noexcept {}  // Requires: it is empty.
  ~single_store() {}
  bool has_memory() const noexcept { return true; }
  void put(std::size_t, T&& value) { std::construct_at(std::addressof(value_), std::move(value)); }
  void take(std::size_t, std::optional<T>& place) {
    place.emplace(std::move(value_));
    std::destroy_at(std::addressof(value_));
  }
  void clear(std::size_t count) noexcept {
    if (count != 0) std::destroy_at(std::addressof(value_));
  }
  void* allocate(std::size_t) const noexcept { return nullptr; }
  void install(void*&) noexcept {}
  void* surplus() noexcept { return nullptr; }
  static void discard(void*) noexcept {}

 private:
  union {
    T value_;
  };
};
}  // namespace detail

// A channel that takes one value and is closed by it; it allocates nothing. Sending never waits. Of several receivers one
// gets the value, the others an empty result.
//
// Thread safety, Ordering, Cancel, Requires: as basic_channel.
// Lifetime: may be destroyed the instant receive() has returned the value, even before send() has returned.
template <class T>
class oneshot : private basic_channel<T, detail::single_store<T>> {
  using base = basic_channel<T, detail::single_store<T>>;

 public:
  oneshot() : base(1, detail::single_store<T>()) {}

  // Throws: weft::channel_closed if something was sent before or it was closed; `value` is then as it was.
  // Blocks: never.
  void send(T&& value) {
    if (!this->send_last_value(value)) this->throw_closed("weft::oneshot::send");
  }
  void send(const T& value) {
    T copy(value);
    send(std::move(copy));
  }
  // As send(), but false where that throws weft::channel_closed.
  bool try_send(T&& value) { return this->send_last_value(value); }

  // The value, waiting for it. Empty where it was closed without one, or another receiver has it.
  using base::receive;
  using base::receive_for;
  using base::receive_until;
  using base::try_receive;
  // For a sender that has nothing to send: receivers get an empty result, or the error.
  using base::close;
  using base::is_closed;
  using base::is_drained;

 private:
  template <class U, std::invocable<std::optional<U>> F>
  friend auto on_receive(oneshot<U>& from, F handler);
};

// A case of select(): receives the value and hands it to `handler(std::optional<T>)`.
template <class T, std::invocable<std::optional<T>> F>
[[nodiscard]] auto on_receive(oneshot<T>& from, F handler) {
  return on_receive(static_cast<typename oneshot<T>::base*>(&from), std::move(handler));
}

}  // namespace weft::inline v0
