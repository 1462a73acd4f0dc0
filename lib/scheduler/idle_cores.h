// Which cores are parked and how many are searching: the parking protocol between cores.
//
// Roles: *submitters* publish work that more than one core may take; *parkers* find none and go to sleep; a *searcher*
//   is an awake core that looks for work outside its own queues.
// Invariant (no lost wake-up): once a submitter has returned from core_to_wake() or has woken the core it named, work
//   that it published is seen by a searcher, or by a parker's re-scan, or no core is parked.
// Protocol, in mirrored halves:
//   submit: publish;        full fence;  look at parked_ and searching_; claim one parked core; wake it
//   park:   announce();     full fence;  re-scan every queue; sleep
//   search ends: leave;     full fence;  the last one re-scans and wakes a successor if it sees work
//   A core that a submitter claims is counted as searching before it is woken, so that the next submitter leaves it to
//   that core. Whoever clears a core's bit, the waker or the core itself, decides which of both happened. A submitter
//   that entered the searching count but found nobody to claim leaves it again and, because others may have relied on
//   the count in between, looks once more.
#pragma once

#include "base/cache_line.h"

#include <weft/detail/atomic.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace weft::inline v0::detail {

class idle_cores {
 public:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  explicit idle_cores(std::size_t cores);

  // Submitter, after publishing. The core it must wake (cleared and counted as searching), or nobody.
  // `nearest_first`: the order in which cores are preferred.
  std::size_t core_to_wake(std::span<const std::uint16_t> nearest_first) noexcept {
    full_fence();  // Pairs with the fences of announce() and leave_search().
    if (parked_.load(relaxed) == 0 || searching_.load(relaxed) != 0) return nobody;
    return claim_parked(nearest_first);
  }

  // Parker. Afterwards it re-scans everything, and sleeps only if it found nothing.
  void announce(std::size_t core) noexcept;

  // Parker, awake again. True: nobody claimed it, it is not counted as searching. False: a submitter did.
  bool withdraw(std::size_t core) noexcept;

  // At most half of the awake cores search.
  bool enter_search() noexcept;

  // True if the caller was the last: it must re-scan and, if it sees work, wake a core. Ends with a full fence.
  bool leave_search() noexcept;

  // For looks without a call.
  const atomic<std::uint32_t>& parked_word() const noexcept { return parked_; }
  const atomic<std::uint32_t>& searching_word() const noexcept { return searching_; }

  std::size_t parked() const noexcept { return parked_.load(relaxed); }
  std::size_t searching() const noexcept { return searching_.load(relaxed); }

 private:
  std::size_t claim_parked(std::span<const std::uint16_t> nearest_first) noexcept;
  bool anyone_parked(std::span<const std::uint16_t> among) const noexcept;

  const std::size_t cores_;
  std::unique_ptr<atomic<std::uint64_t>[]> bits_;        // Set: parked and unclaimed.
  alignas(cache_line) atomic<std::uint32_t> parked_{0};  // How many bits are set; may run ahead of the bits.
  alignas(cache_line) atomic<std::uint32_t> searching_{0};
};

}  // namespace weft::inline v0::detail
