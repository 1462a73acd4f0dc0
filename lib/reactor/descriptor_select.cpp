// "Readable" and "writable" as cases of a select.
//
// Roles and words are those of readiness.h; the select is the one *user* that may wait in a direction.
// Invariant: a case takes nothing. Whether a direction is ready poll(2) says, and only where the word does not know;
//   `ready` in the word is a hint, and an answer of "no" moves it to `drained` with the tick seen before the question,
//   as a call that finds nothing does.
// Protocol: an enrolled case is in the word, as (name, epoch), and counts as a user of the slot, so that the number
//   stays until the case is withdrawn. Who reports an event or closes claims the select without a winner: the select
//   withdraws every case, and asks them all again.
#include <weft/detail/descriptor_select.h>

#include "reactor/descriptor.h"
#include "reactor/possible.h"
#include "scheduler/select_node.h"

#include <system_error>

namespace weft::inline v0::detail {

namespace {

struct descriptor_node : wait_node {
  readiness::state drained{0};  // The word before it named us.
};
static_assert(sizeof(descriptor_node) <= sizeof(select_case::node));

[[noreturn]] void refuse(int error) {
  const char* why = "weft::select: a descriptor";
  if (error == EPERM) why = "weft::select: a descriptor is watched by fibers of its own runtime only";
  if (error == EBUSY) why = "weft::select: another fiber waits for this descriptor already";
  throw std::system_error(error, std::generic_category(), why);
}

}  // namespace

struct descriptor_cases {
  static descriptor& descriptor_of(select_case& c) noexcept { return *static_cast<descriptor*>(c.object); }
  static descriptor_node& node_of(select_case& c) noexcept { return static_cast<descriptor_node&>(wait_node_of(c)); }

  static void leave(const descriptor& d) noexcept {
    if (d.slot_->users.leave()) descriptor::finish_close(*d.slot_, *d.slots_);
  }

  // A closed one counts: a call on it does not wait. Requires: the caller counts as a user.
  static bool is_possible(slot& s, direction d) {
    readiness& word = s.of(d);
    for (;;) {
      const readiness::state seen = word.load();
      if (!seen.is_ready()) return seen.is_closed();
      const int answer = ask_whether_possible(s.fd, d);
      if (answer > 0) return true;
      if (answer == -EINTR) continue;
      if (answer != -EAGAIN) refuse(-answer);
      if (word.drain(seen)) return false;
    }
  }

  template <direction D>
  static bool try_now(select_case& c) {
    const descriptor& d = descriptor_of(c);
    const descriptor::use by_us(d);
    if (by_us.error == EBADF) return true;
    if (by_us.error == EPERM) refuse(EPERM);
    return is_possible(*d.slot_, D);
  }

  // The select's wait was claimed, by itself.
  template <direction D>
  static enroll_result take(const descriptor& d) {
    const struct leaving {
      const descriptor& of;
      ~leaving() { leave(of); }
    } at_end{d};
    return is_possible(*d.slot_, D) ? enroll_result::taken : enroll_result::again;
  }

  template <direction D>
  static enroll_result enroll(select_case& c) {
    const descriptor& d = descriptor_of(c);
    const waiter me = wait_node_of(c).who;
    if (!d.slot_->users.enter(d.generation_)) {
      return claim(me, wake_reason::none) ? enroll_result::taken : enroll_result::overtaken;
    }
    slot& s = *d.slot_;
    int error = descriptor::ensure_registered(s);
    while (error == 0) {
      const readiness::state seen = s.of(D).load();
      if (seen.is_ready() || seen.is_closed()) break;
      if (seen.is_waiting()) {
        error = EBUSY;
      } else if (s.of(D).arm(seen, me.record->name, me.epoch)) {
        (::new (static_cast<void*>(&c.node)) descriptor_node{{nullptr, nullptr, me}, seen});
        return enroll_result::enrolled;
      }
    }
    if (!claim(me, wake_reason::none)) {
      leave(d);
      return enroll_result::overtaken;
    }
    if (error == 0) return take<D>(d);
    leave(d);
    refuse(error);
  }

  template <direction D>
  static void withdraw(select_case& c) noexcept {
    const descriptor& d = descriptor_of(c);
    const descriptor_node& n = node_of(c);
    d.slot_->of(D).disarm(n.who.record->name, n.who.epoch, n.drained);
    leave(d);
  }

  static bool won(select_case&) { return false; }  // Nobody names it as the winner.
};

constinit const select_ops descriptor_case_ops::readable = {
    &descriptor_cases::try_now<direction::read>, &descriptor_cases::enroll<direction::read>,
    &descriptor_cases::withdraw<direction::read>, &descriptor_cases::won};
constinit const select_ops descriptor_case_ops::writable = {
    &descriptor_cases::try_now<direction::write>, &descriptor_cases::enroll<direction::write>,
    &descriptor_cases::withdraw<direction::write>, &descriptor_cases::won};

}  // namespace weft::inline v0::detail
