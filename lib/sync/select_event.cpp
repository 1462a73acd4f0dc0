// Events as cases of a select.
#include "sync/channel_node.h"
#include "sync/wait_on.h"

#include <weft/select.h>

namespace weft::inline v0::detail {

struct event_select {
  static constexpr std::uint64_t set_bit = event::set_bit;
  static_assert(set_bit == auto_reset_event::set_bit);

  template <class Event>
  static Event& event_of(select_case& c) noexcept {
    return *static_cast<Event*>(c.object);
  }

  static bool try_set(select_case& c) { return event_of<event>(c).is_set(); }
  static bool try_use(select_case& c) { return event_of<auto_reset_event>(c).try_wait(); }

  // `Kept`: the bits that stay where the event lets the select through.
  template <class Event, std::uint64_t Kept>
  static enroll_result enroll(select_case& c) {
    Event& e = event_of<Event>(c);
    wait_node& n = node_of(c);
    const std::uint64_t bits = e.word_.lock();
    if ((bits & set_bit) == 0) {
      wait_list(e.waiters_).push_back(n);
      e.word_.unlock(bits | waitable_word::waited);
      return enroll_result::enrolled;
    }
    const bool is_ours = claim(n.who, wake_reason::none);
    e.word_.unlock(is_ours ? bits & Kept : bits);
    return is_ours ? enroll_result::taken : enroll_result::overtaken;
  }

  template <class Event>
  static void withdraw(select_case& c) noexcept {
    Event& e = event_of<Event>(c);
    leave_line(e.word_, e.waiters_, node_of(c));
  }

  static bool won(select_case&) { return true; }  // The set() that claimed us let us through.
};

constinit const select_ops select_access::event_ops = {&event_select::try_set,
                                                       &event_select::enroll<event, ~std::uint64_t{0}>,
                                                       &event_select::withdraw<event>, &event_select::won};
constinit const select_ops select_access::auto_reset_event_ops = {
    &event_select::try_use, &event_select::enroll<auto_reset_event, ~event_select::set_bit>,
    &event_select::withdraw<auto_reset_event>, &event_select::won};

}  // namespace weft::inline v0::detail
