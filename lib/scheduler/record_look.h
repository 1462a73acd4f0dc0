// Who a fiber is, read out of its record by someone who holds no reference to it.
#pragma once

#include "scheduler/record.h"

#include <string>

namespace weft::inline v0::detail {

// Any thread that keeps the runtime alive. The fiber may end meanwhile, and another one be made in its place: what was
// read between the construction and still_holds() is of one fiber if that says so, and of nobody otherwise.
class record_look {
 public:
  explicit record_look(const fiber_record& f) noexcept
      : record_(f), is_alive_(lives(f)), id_(f.id.load(acquire)) {}  // Pairs with launch().

  bool is_alive() const noexcept { return is_alive_; }
  std::uint64_t id() const noexcept { return id_; }

  // Require: is_alive().
  source_location site() const noexcept { return record_.site.load(); }
  std::string name() const;  // Throws: std::bad_alloc.

  bool still_holds() const noexcept {
    full_fence();  // Pairs with make_record().
    return is_alive_ && lives(record_) && record_.id.load(relaxed) == id_;
  }

 private:
  static bool lives(const fiber_record& f) noexcept {
    const fiber_life life = f.life.load(acquire);  // Pairs with launch().
    return life == fiber_life::fresh || life == fiber_life::started;
  }

  const fiber_record& record_;
  const bool is_alive_;
  const std::uint64_t id_;
};

}  // namespace weft::inline v0::detail
