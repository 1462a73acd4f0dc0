// How broadcast and watch are read.
#pragma once

#include <weft/deadline.h>
#include <weft/detail/sequence_core.h>
#include <weft/select.h>

#include <concepts>
#include <memory>
#include <optional>
#include <utility>

namespace weft::inline v0 {

namespace detail {
template <class T, class F>
struct reader_case;
}

// A place in the values of a broadcast<T> or a watch<T>, which it must not outlive. Each reader sees each value, whatever
// others read; copies go on from the same place.
//
// Thread safety: one fiber or thread at a time; readers of one source are independent of each other.
// Cancel: throws weft::cancelled if it would have to wait, or lets others run; then nothing was read.
// Blocks: fiber or thread. A call that did not wait may let others run, once in a while; try_receive() never does.
template <class T>
class basic_reader {
 public:
  using value_type = T;

  // A copy of the next value, waiting for it. Empty once the source is closed and everything was read.
  // Throws: weft::lagged (of a broadcast); the error the source was closed with, in place of an empty result; what
  //   copying throws: then the value counts as not read.
  std::optional<T> receive() { return copy_of(place_.next(detail::never)); }
  std::optional<T> try_receive() { return copy_of(place_.next(0)); }
  // Empty at the deadline, too; is_drained() tells which.
  std::optional<T> receive_until(deadline limit) { return copy_of(place_.next(limit.nanoseconds())); }
  std::optional<T> receive_for(deadline limit) { return receive_until(limit); }

  // The next value itself, which all readers share; null where receive() is empty.
  std::shared_ptr<const T> receive_shared(deadline limit = deadline::never()) {
    auto value = std::static_pointer_cast<const T>(place_.next(limit.nanoseconds()));
    if (value != nullptr) place_.has_read();
    return value;
  }

  // The source is closed and everything was read.
  bool is_drained() const noexcept { return place_.is_drained(); }

 private:
  template <class>
  friend class broadcast;
  template <class>
  friend class watch;
  template <class, class>
  friend struct detail::reader_case;

  basic_reader(detail::sequence_core& source, std::uint64_t seen) noexcept : place_(source, seen) {}

  std::optional<T> copy_of(const detail::shared_value& value) {
    std::optional<T> copy;
    if (value != nullptr) {
      copy.emplace(*static_cast<const T*>(value.get()));
      place_.has_read();
    }
    return copy;
  }

  detail::sequence_reader place_;
};

namespace detail {
template <class T, class F>
struct reader_case : select_case {
  basic_reader<T>* from;
  F handler;
  shared_value value;
  reader_case(basic_reader<T>& r, F f) : from(&r), handler(std::move(f)) {
    select_access::of_source(*this, sequence_reader::case_ops, &r.place_);
  }
  void prepare() noexcept {
    value.reset();
    place = std::addressof(value);
  }
  void run() { std::invoke(handler, from->copy_of(std::exchange(value, nullptr))); }
};
}  // namespace detail

// A case of select(): reads the next value and hands a copy to `handler(std::optional<T>)`.
template <class T, std::invocable<std::optional<T>> F>
[[nodiscard]] auto on_receive(basic_reader<T>& from, F handler) {
  return detail::reader_case<T, F>(from, std::move(handler));
}

}  // namespace weft::inline v0
