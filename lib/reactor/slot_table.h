// Everything that weft knows of open descriptors: one slot each, in memory that lives as long as the runtime.
#pragma once

#include "platform/spin_lock.h"
#include "reactor/readiness.h"

#include <weft/detail/atomic.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace weft::inline v0::detail {

class reactor;
class scheduler;

enum class direction : std::uint8_t { read, write };

// Who uses a slot, and whether it is closing: generation << 32 | closing << 31 | users. The generation is
// that of the descriptor in the slot: a handle of an earlier one is turned away.
class slot_users {
 public:
  static constexpr std::uint64_t closing_bit = std::uint64_t{1} << 31;
  static constexpr std::uint64_t count_mask = closing_bit - 1;

  static constexpr std::uint32_t generation_of(std::uint64_t bits) noexcept {
    return static_cast<std::uint32_t>(bits >> 32);
  }
  static constexpr bool is_open_as(std::uint64_t bits, std::uint32_t generation) noexcept {
    return generation_of(bits) == generation && (bits & closing_bit) == 0;
  }
  static constexpr bool is_closing(std::uint64_t bits) noexcept { return (bits & closing_bit) != 0; }
  static constexpr bool is_last_of_closing(std::uint64_t bits) noexcept {
    return (bits & closing_bit) != 0 && (bits & count_mask) == 0;
  }

  // Counts the caller as a user. False, and not counted, if it is closing or of another generation.
  // Relaxed: what the slot holds came to the caller with the handle.
  bool enter(std::uint32_t generation) noexcept {
    std::uint64_t seen = bits_.load(relaxed);
    do {
      if (generation_of(seen) != generation || (seen & closing_bit) != 0) return false;
    } while (!bits_.compare_exchange_weak(seen, seen + 1, relaxed, relaxed));
    return true;
  }

  // Only of a user that was counted. True for the last user of a closing slot, which must finish the close.
  // Release and acquire: the last one comes after all that the others did with the slot.
  bool leave() noexcept { return is_last_of_closing(bits_.fetch_sub(1, acq_rel) - 1); }

  // Marks it closing, and counts the caller as a user. False if it is closing, or of another generation. Relaxed, as
  // enter().
  bool begin_close(std::uint32_t generation) noexcept {
    std::uint64_t seen = bits_.load(relaxed);
    do {
      if (generation_of(seen) != generation || (seen & closing_bit) != 0) return false;
    } while (!bits_.compare_exchange_weak(seen, (seen | closing_bit) + 1, relaxed, relaxed));
    return true;
  }

  // The last user of a closing slot: it waits for its next descriptor, closing to all late-comers until reopen().
  // Nobody else changes the word in between; slot_table passes the slot on.
  void retire() noexcept { bits_.store(bits_.load(relaxed) + (std::uint64_t{1} << 32), relaxed); }

  // Opens the slot for a new descriptor and returns its generation.
  std::uint32_t reopen() noexcept {
    const std::uint64_t open = bits_.load(relaxed) & ~closing_bit;
    bits_.store(open, relaxed);
    return generation_of(open);
  }

  // Whose the slot is: a generation is told, nothing that it owns is reached by it.
  std::uint64_t load() const noexcept { return bits_.load(relaxed); }

 private:
  atomic<std::uint64_t> bits_{closing_bit};
};

struct alignas(64) slot {
  slot_users users;
  readiness directions[2];
  atomic<reactor*> registered{nullptr};  // Where its events come from, once a call had to wait.
  atomic<bool> half_closed{false};       // The peer sends no more: a short read says nothing about what is left.
  atomic<std::uint32_t> tick{0};         // Of the last event; the lead of `registered` counts.
  std::uint32_t index = 0;
  int fd = -1;            // Constant while open, as is the next.
  bool is_lent = false;   // The number is not ours to close.
  spin_lock registering;  // Held to put the slot into a poller, and by a close() that takes it out beside users.
  slot* next_free = nullptr;

  readiness& of(direction d) noexcept { return directions[static_cast<std::size_t>(d)]; }
};

// Thread safety: all members may be called at once.
// Lifetime: made by new; ends when it was abandoned and the last handle has let go: a descriptor may outlive its runtime.
class slot_table {
 public:
  explicit slot_table(scheduler& owner) noexcept : owner_(&owner) {}
  slot_table(const slot_table&) = delete;
  slot_table& operator=(const slot_table&) = delete;

  // A free slot; null when there is no memory for one.
  slot* take() noexcept;
  void give(slot& s) noexcept;

  // A handle that names a slot of this table holds the table.
  void hold() noexcept { holders_.fetch_add(1, relaxed); }
  void let_go() noexcept {
    if (holders_.fetch_sub(1, acq_rel) == 1) delete this;
  }

  // Requires: `index` came from a slot of this table.
  slot& at(std::uint32_t index) const noexcept {
    return chunks_[index / chunk_slots].load(acquire)[index % chunk_slots];
  }

  // The runtime is gone: the reactors that the open slots name no longer exist. Its own hold ends.
  void abandon() noexcept;

  // Takes `s` out of its reactor's poller, if it is in one; also from a thread that may race with abandon().
  // Requires: nobody else registers or deregisters it meanwhile.
  void deregister(slot& s, bool by_own_worker) noexcept;

  // The runtime's scheduler; null once it is gone. Requires: no race with abandon(), or no use but comparing.
  scheduler* owner() const noexcept { return owner_.load(relaxed); }

  // Calls `act` with the scheduler, null once it is gone; it does not go meanwhile. Also from a thread that may race with
  // abandon(). `act` makes nothing ready: that may end the runtime, which takes this lock.
  template <class Act>
  void with_owner(Act act) noexcept {
    const std::scoped_lock hold(lock_);
    act(owner_.load(relaxed));
  }

  std::size_t open() const noexcept { return open_.load(relaxed); }

 private:
  ~slot_table() = default;

#ifdef WEFT_MODEL_CHECK  // Small, so that an execution is.
  static constexpr std::uint32_t chunk_slots = 2;
  static constexpr std::uint32_t most_chunks = 4;
#else
  static constexpr std::uint32_t chunk_slots = 256;
  static constexpr std::uint32_t most_chunks = 1 << 14;
#endif

  bool grow() noexcept;

  atomic<scheduler*> owner_;
  atomic<std::size_t> holders_{1};
  spin_lock lock_;
  slot* free_ = nullptr;  // Under lock_, as are the owners.
  std::uint32_t chunk_count_ = 0;
  std::vector<std::unique_ptr<slot[]>> owned_;
  std::unique_ptr<atomic<slot*>[]> chunks_ = std::make_unique<atomic<slot*>[]>(most_chunks);
  atomic<std::size_t> open_{0};
};

}  // namespace weft::inline v0::detail
