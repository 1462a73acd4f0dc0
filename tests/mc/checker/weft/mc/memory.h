// The modelled memory: C++20's, as an operational machine.
//
// Sources: the C++20 standard, [intro.races], [atomics.order] and [atomics.fences]; Norris and Demsky, "CDSChecker:
// Checking Concurrent Data Structures Written with C/C++ Atomics" (OOPSLA 2013), for the idea to keep every store of a
// location and let a load choose; Kang et al., "A Promising Semantics for Relaxed-Memory Concurrency" (POPL 2017), for
// frontiers that threads hold and messages carry. What each of them means here:
//
// Modification order  Stores to a location are numbered as they are executed.
// Coherence           A thread's frontier holds for each location the newest store that it read, wrote, or learnt of by
//                     synchronising; a load may choose that one or any newer one.
// Synchronising       A release store, or a store after a release fence, carries what its thread knew. An acquire load
//                     that reads it learns that; a relaxed load leaves it for an acquire fence. A read-modify-write
//                     carries on what the store that it replaced carried (release sequences, as C++20 has them).
// Read-modify-write   Reads the newest store. A compare-and-swap may also fail on an older one that differs, and a weak
//                     one for no reason.
// Sequential          The order S is the order of execution. Of [atomics.order] p4: a fence learns the frontiers of all
// consistency         fences before it and of all seq_cst accesses before it; a seq_cst load chooses no store older
//                     than the newest that a seq_cst access wrote or read, or that a thread knew at a fence of its own.
// Data races          Every access to a plain<T> is compared with the vector clocks of those before it.
//
// Not modelled: a load never reads a store that is executed later (load buffering), and the modification order always
// agrees with the order of execution (so 2+2W comes out as on x86). Both can only hide outcomes, never invent them.
#pragma once

#include <weft/mc/clocks.h>
#include <weft/mc/operations.h>

#include <array>
#include <map>
#include <source_location>
#include <string>
#include <unordered_map>
#include <vector>

namespace weft::mc {

struct stored {
  std::uint64_t value = 0;
  knowledge carries;
  int by = -1;  // The thread, or -1 for the first value.
};

struct location {
  void* address = nullptr;
  std::size_t bytes = 0;
  std::vector<stored> stores;
  std::uint64_t key = 0;  // The same in all executions: who touched it first, and as which of his locations.
  int first_user = 0;
  const std::source_location* first_site = nullptr;
  std::uint32_t checked_by = 0;  // One bit for each thread that was seen to come after the allocation.
  bool is_freed = false;
};

// What one thread knows.
struct thread_memory {
  knowledge now;
  knowledge to_acquire;  // Read by relaxed loads, for an acquire fence.
  knowledge released;    // At the last release fence.
  std::uint32_t locations = 0;
};

class memory {
 public:
  void reset();

  // The location of `word` for a thread that is about to use it.
  std::size_t find(word_ref word, int thread, thread_memory& mine, const std::source_location& site);
  void forget(const void* address);
  void mark_freed(const void* begin, std::size_t bytes);

  location& at(std::size_t index) { return locations_[index]; }
  std::size_t size() const { return locations_.size(); }

  // The oldest store that a load of this order may choose.
  std::uint32_t oldest_readable(std::size_t index, const thread_memory& mine, std::memory_order order) const;
  std::uint64_t read(std::size_t index, std::uint32_t which, thread_memory& mine, std::memory_order order);
  void write(std::size_t index, std::uint64_t value, int thread, thread_memory& mine, std::memory_order order,
             bool replaces_newest);
  void fence(thread_memory& mine, std::memory_order order);
  // A waiting loop sees what there is, in the end.
  void catch_up(thread_memory& mine);

  // How often a location has changed its value by another thread than this one.
  std::uint64_t changes_by_others(int thread) const { return changes_ - changes_by_[static_cast<std::size_t>(thread)]; }

  // What a thread did to something that is no word, for those who wait in a loop.
  void count_change(int thread) {
    ++changes_;
    ++changes_by_[static_cast<std::size_t>(thread)];
  }

  // Locations by name, for traces.
  std::string name_of(std::size_t index) const;
  void name(const void* address, std::string text) { names_[address] = std::move(text); }

 private:
  std::unordered_map<const void*, std::size_t> index_;
  std::map<const void*, std::string> names_;
  std::vector<location> locations_;
  frontier of_fences_;    // What threads knew at their seq_cst fences.
  frontier of_accesses_;  // What seq_cst accesses wrote or read.
  std::uint64_t changes_ = 0;
  std::array<std::uint64_t, most_threads> changes_by_{};
};

}  // namespace weft::mc
