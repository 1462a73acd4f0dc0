// Receiving from a channel and sending to one as cases of a select.
#include "sync/channel_inline.h"

namespace weft::inline v0::detail {

namespace {

// Whether somebody else than `me` waits here. One who was claimed already counts, and is found out by claiming.
bool has_others(const wait_list_ends& list, const wait_record* me) noexcept {
  for (const wait_node* n = list.first; n != nullptr; n = n->next) {
    if (n->who.record != me) return true;
  }
  return false;
}

}  // namespace

struct channel_cases {
  static channel_core& core_of(select_case& c) noexcept { return *static_cast<channel_core*>(c.object); }

  static bool is_decided(channel_core& core, channel_status status) {
    if (status == channel_status::broken) core.throw_close_error();
    return status == channel_status::done || status == channel_status::closed;
  }

  static channel_status accept_now(select_case& c) {
    channel_core& core = core_of(c);
    channel_section section(core);
    return core.accept(c.place, section);
  }

  static channel_status offer_now(select_case& c) {
    channel_core& core = core_of(c);
    channel_section section(core);
    return core.offer(c.place, section);
  }

  static bool try_receive(select_case& c) {
    channel_core& core = core_of(c);
    core.lock();
    if (core.count_ == 0 && core.senders_.first == nullptr && !core.is_closed_) {  // As it is most often.
      core.unlock();
      return false;
    }
    return is_decided(core, accept_now(c));
  }

  static bool try_send(select_case& c) {
    channel_core& core = core_of(c);
    for (;;) {
      core.lock();
      if (core.count_ >= core.limit_ && core.receivers_.first == nullptr && !core.is_closed_) {
        core.unlock();
        return false;
      }
      const channel_status status = offer_now(c);
      if (status == channel_status::closed) core.throw_closed("weft::select: on_send");
      if (status != channel_status::no_memory) return status == channel_status::done;
      core.ops_.grow(core);
    }
  }

  static void add(select_case& c, wait_list_ends& list) noexcept {
    channel_node& n = node_of(c);
    n.place = c.place;
    n.outcome = channel_outcome::again;
    wait_list(list).push_back(n);
  }

  static enroll_result enroll_receive(select_case& c) {
    channel_core& core = core_of(c);
    const waiter& me = node_of(c).who;
    core.lock();
    if (core.count_ == 0 && !core.is_closed_ && !has_others(core.senders_, me.record)) {
      add(c, core.receivers_);
      core.unlock();
      return enroll_result::enrolled;
    }
    if (!claim(me, wake_reason::none)) {
      core.unlock();
      return enroll_result::overtaken;
    }
    return is_decided(core, accept_now(c)) ? enroll_result::taken : enroll_result::again;
  }

  static enroll_result enroll_send(select_case& c) {
    channel_core& core = core_of(c);
    const waiter& me = node_of(c).who;
    core.lock();
    if (core.count_ >= core.limit_ && !core.is_closed_ && !has_others(core.receivers_, me.record)) {
      add(c, core.senders_);
      core.unlock();
      return enroll_result::enrolled;
    }
    if (!claim(me, wake_reason::none)) {
      core.unlock();
      return enroll_result::overtaken;
    }
    const channel_status status = offer_now(c);
    if (status == channel_status::closed) core.throw_closed("weft::select: on_send");
    return status == channel_status::done ? enroll_result::taken : enroll_result::again;
  }

  static void withdraw_from(channel_core& core, wait_list_ends& list, select_case& c) noexcept {
    core.lock();
    wait_list(list).unlink(node_of(c));
    core.unlock();
  }
  static void withdraw_receive(select_case& c) noexcept { withdraw_from(core_of(c), core_of(c).receivers_, c); }
  static void withdraw_send(select_case& c) noexcept { withdraw_from(core_of(c), core_of(c).senders_, c); }

  static bool won(select_case& c) { return node_of(c).outcome == channel_outcome::handed; }
};

constinit const select_ops channel_core::receive_case_ops = {
    &channel_cases::try_receive, &channel_cases::enroll_receive, &channel_cases::withdraw_receive, &channel_cases::won};
constinit const select_ops channel_core::send_case_ops = {&channel_cases::try_send, &channel_cases::enroll_send,
                                                          &channel_cases::withdraw_send, &channel_cases::won};

}  // namespace weft::inline v0::detail
