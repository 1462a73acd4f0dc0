// A channel whose every receiver sees every value.
#pragma once

#include <weft/basic_reader.h>
#include <weft/channel_closed.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace weft::inline v0 {

// Thrown to a reader of a broadcast that was too slow: values it had not read yet have made room for newer ones. It then
// goes on with the oldest that is kept.
class WEFT_API lagged : public std::runtime_error {
 public:
  lagged(const std::string& what, std::uint64_t missed) : std::runtime_error(what), missed_(missed) {}
  // How many values it will never see.
  std::uint64_t missed() const noexcept { return missed_; }

 private:
  std::uint64_t missed_;
};

// Keeps the newest `capacity` values for readers that have not seen them. Sending never waits: a reader that falls behind
// by more than that loses the oldest, and is told by weft::lagged. T is copied to each reader, outside of any lock.
//
// Thread safety: all members may be called at once, and readers made and used meanwhile.
// Ordering: what was done before a value was sent is visible to who reads it.
// Lifetime: must outlive its readers. Destroying it while it is waited for ends the program with a message.
template <class T>
class broadcast {
 public:
  // Throws: std::invalid_argument for a capacity of 0; std::bad_alloc.
  explicit broadcast(std::size_t capacity) : core_(capacity, false, "weft::broadcast") {}

  // Throws: weft::channel_closed; std::bad_alloc; what moving or copying throws.
  // Blocks: never.
  void send(T value) {
    if (!core_.publish(std::make_shared<const T>(std::move(value)))) {
      throw channel_closed("weft::broadcast::send: the channel is closed");
    }
  }

  // A reader that sees what is sent from now on.
  basic_reader<T> subscribe() noexcept { return basic_reader<T>(core_, core_.newest_number()); }

  // Nothing more can be sent; readers get what is kept, and then an empty result or the error. False if it was closed
  // before.
  bool close(std::exception_ptr error = nullptr) noexcept { return core_.close(std::move(error)); }
  bool is_closed() const noexcept { return core_.is_closed(); }

 private:
  detail::sequence_core core_;
};

}  // namespace weft::inline v0
