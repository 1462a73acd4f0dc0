// What an object holds of the fibers and threads that wait on it.
#pragma once

namespace weft::inline v0::detail {

struct wait_node;

// Oldest and newest waiter; their nodes lie in the waiters' own frames.
struct wait_list_ends {
  wait_node* first = nullptr;
  wait_node* last = nullptr;
};

}  // namespace weft::inline v0::detail
