// A value that changes, and who wants to know.
#pragma once

#include <weft/basic_reader.h>
#include <weft/channel_closed.h>

#include <memory>
#include <utility>

namespace weft::inline v0 {

// Keeps the latest value. A reader gets the latest that it has not seen yet, and may miss others in between. T is copied
// to each reader, outside of any lock.
//
// Thread safety: all members may be called at once, and readers made and used meanwhile.
// Ordering: what was done before a value was set is visible to who sees it.
// Lifetime: must outlive its readers. Destroying it while it is waited for ends the program with a message.
template <class T>
class watch {
 public:
  // Throws: std::bad_alloc; what moving throws.
  explicit watch(T first) : core_(1, true, "weft::watch") { set(std::move(first)); }

  // Throws: weft::channel_closed; std::bad_alloc; what moving or copying throws.
  // Blocks: never.
  void set(T value) {
    if (!core_.publish(std::make_shared<const T>(std::move(value)))) {
      throw channel_closed("weft::watch::set: it is closed");
    }
  }

  // The latest value, whoever has seen it; also once it is closed.
  T get() const { return *view(); }
  // The same without a copy: what it points to never changes.
  std::shared_ptr<const T> view() const { return std::static_pointer_cast<const T>(core_.newest()); }

  // How often it was set, the first value included.
  std::uint64_t version() const noexcept { return core_.newest_number(); }

  // A reader that has seen nothing: its first receive() gives the present value at once.
  basic_reader<T> subscribe() noexcept { return basic_reader<T>(core_, 0); }

  // The value is final; readers that have seen it get an empty result or the error. False if it was closed before.
  bool close(std::exception_ptr error = nullptr) noexcept { return core_.close(std::move(error)); }
  bool is_closed() const noexcept { return core_.is_closed(); }

 private:
  detail::sequence_core core_;
};

}  // namespace weft::inline v0
