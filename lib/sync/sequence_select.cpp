// The next value of a broadcast or a watch as a case of a select.
#include "scheduler/select_node.h"
#include "scheduler/wait_list.h"

#include <weft/detail/sequence_core.h>

#include <mutex>

namespace weft::inline v0::detail {

struct sequence_cases {
  static sequence_reader& reader_of(select_case& c) noexcept { return *static_cast<sequence_reader*>(c.object); }
  static shared_value& place_of(select_case& c) noexcept { return *static_cast<shared_value*>(c.place); }

  static bool is_decided(sequence_reader& reader, sequence_status found) {
    if (found == sequence_status::closed) reader.throw_close_error();
    return found != sequence_status::nothing_new;
  }

  static bool try_now(select_case& c) {
    sequence_reader& reader = reader_of(c);
    reader.source_->lock_.lock();
    const sequence_status found = reader.look(place_of(c));
    reader.source_->lock_.unlock();
    return is_decided(reader, found);
  }

  static enroll_result enroll(select_case& c) {
    sequence_reader& reader = reader_of(c);
    sequence_core& source = *reader.source_;
    wait_node& n = wait_node_of(c);
    source.lock_.lock();
    if (reader.seen_ == source.last_ && !source.is_closed_) {
      wait_list(source.waiters_).push_back(n);
      source.lock_.unlock();
      return enroll_result::enrolled;
    }
    source.lock_.unlock();
    // It stays so whatever others do.
    if (!claim(n.who, wake_reason::none)) return enroll_result::overtaken;
    return try_now(c) ? enroll_result::taken : enroll_result::again;
  }

  static void withdraw(select_case& c) noexcept {
    sequence_core& source = *reader_of(c).source_;
    const std::scoped_lock hold(source.lock_);
    wait_list(source.waiters_).unlink(wait_node_of(c));
  }

  // Woken for a change of state, without a winner: the select looks again.
  static bool won(select_case&) { return false; }
};

constinit const select_ops sequence_reader::case_ops = {&sequence_cases::try_now, &sequence_cases::enroll,
                                                        &sequence_cases::withdraw, &sequence_cases::won};

}  // namespace weft::inline v0::detail
