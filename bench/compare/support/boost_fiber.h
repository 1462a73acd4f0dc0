// Boost.Fiber on several threads, as its documentation does it: each thread runs the work-stealing algorithm.
#pragma once

#include <boost/fiber/all.hpp>

#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace race {

// Calls `work` in the main fiber of the calling thread, with `cores` threads in all; one needs no stealing.
template <class F>
auto run_on_boost(std::size_t cores, F&& work) {
  if (cores == 1) return work();
  boost::fibers::mutex guard;
  boost::fibers::condition_variable_any over;
  bool is_over = false;
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < cores; ++i) {
    others.emplace_back([&, threads = static_cast<std::uint32_t>(cores)] {
      boost::fibers::use_scheduling_algorithm<boost::fibers::algo::work_stealing>(threads, true);
      std::unique_lock hold(guard);
      over.wait(hold, [&] { return is_over; });
    });
  }
  boost::fibers::use_scheduling_algorithm<boost::fibers::algo::work_stealing>(static_cast<std::uint32_t>(cores), true);
  const auto result = work();
  {
    std::unique_lock hold(guard);
    is_over = true;
  }
  over.notify_all();
  for (auto& each : others) each.join();
  return result;
}

}  // namespace race
