// The operations of the modelled machine, on bits: what atomics, threads and plain variables are made of.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <source_location>

namespace weft::mc {

// A word of at most 8 bytes, and where it lies.
struct word_ref {
  void* address;
  std::size_t bytes;
};

enum class modification : std::uint8_t { exchange, add, subtract, bit_or, bit_and };

struct exchange_orders {
  std::memory_order success;
  std::memory_order failure;
  bool is_weak;
};

std::uint64_t load(word_ref word, std::memory_order order, const std::source_location& at);
void store(word_ref word, std::uint64_t value, std::memory_order order, const std::source_location& at);
std::uint64_t modify(word_ref word, modification what, std::uint64_t by, std::memory_order order,
                     const std::source_location& at);
// `expected` becomes what was read.
bool compare_exchange(word_ref word, std::uint64_t& expected, std::uint64_t desired, const exchange_orders& orders,
                      const std::source_location& at);
void fence(std::memory_order order, const std::source_location& at);

// A new atomic lies at `address`: what the model knew of that place is forgotten.
void construct(const void* address);

// One round of a loop that waits for another thread: runs again once somebody else has stored something, and then sees
// the newest values.
void spin();

// A place for another thread to come in, and nothing else.
void yield();

}  // namespace weft::mc
