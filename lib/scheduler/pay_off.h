// Whether looking on for a moment, in place of waiting, has paid lately.
#pragma once

#include <cstdint>

namespace weft::inline v0::detail {

// Thread safety: none; it belongs to a core's worker.
class pay_off {
 public:
  // After a few times in vain, once in a while only.
  bool may_pay() noexcept { return trust_ != 0 || ++skipped_ % tries_apart == 0; }

  void paid() noexcept { trust_ = most_trust; }
  void was_in_vain() noexcept {
    if (trust_ != 0) --trust_;
  }

 private:
  static constexpr std::uint32_t most_trust = 4;
  static constexpr std::uint32_t tries_apart = 16;

  std::uint32_t trust_ = most_trust;
  std::uint32_t skipped_ = 0;
};

}  // namespace weft::inline v0::detail
