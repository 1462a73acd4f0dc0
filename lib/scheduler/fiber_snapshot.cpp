// Records and stacks are type-stable, so that whatever is read here is readable; whether it belongs together is checked
// afterwards: a record still holds the same fiber (record_look.h), which still waits in the wait of the same epoch.
// A ring of waits is real if each of its waits was under way before the first of its edges was read and is under way
// after the last: then nobody in it has run in between.
#include "scheduler/fiber_snapshot.h"

#include "platform/clock.h"
#include "platform/memory_reader.h"
#include "scheduler/backtrace.h"
#include "scheduler/occupants.h"
#include "scheduler/record_look.h"
#include "scheduler/scheduler.h"
#include "scheduler/stack_marks.h"
#include "scheduler/wait_cycles.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

namespace weft::inline v0::detail {

namespace {

constexpr std::size_t most_owners = 64;
constexpr int most_joiners = 64;

// What is remembered of a fiber besides its dump.
struct seen_fiber {
  const fiber_record* record = nullptr;
  const activation* stack = nullptr;  // Null unless it waits.
  std::uint64_t epoch = 0;
  const fiber_record* calls = nullptr;  // The one that it waits for, and that has its stack meanwhile.
  std::size_t depth = 0;                // Of its stack, where that is measured.
};

class snapshot {
 public:
  snapshot(scheduler& s, with_backtraces how) : scheduler_(s), how_(how), now_(monotonic_now()) {}

  runtime_dump take() {
    if (scheduler_.marks != nullptr) marks_ = scheduler_.marks->seen();
    scheduler_.for_each_fiber([this](fiber_record& f) { add(f); });
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      index_.emplace(seen_[i].record, i);
      if (seen_[i].stack != nullptr && seen_[i].calls == nullptr) by_stack_.emplace(seen_[i].stack, i);
    }
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      add_joiners(i);
      add_owners(i);
    }
    find_cycles();
    note_quiescence();
    dump_.stacks = sorted_marks(marks_);
    return std::move(dump_);
  }

 private:
  void add(fiber_record& f) {
    const record_look look(f);
    if (!look.is_alive()) return;
    fiber_dump d;
    seen_fiber seen{.record = &f};
    d.id = look.id();
    d.name = look.name();
    const source_location site = look.site();
    d.file = site.file_name();
    d.line = static_cast<std::uint32_t>(site.line());
    const activation* const a = f.on_stack.load(acquire);  // Pairs with move_in().
    if (a != nullptr) {
      describe_run(*a, d, seen);
    } else if (f.life.load(relaxed) == fiber_life::started) {
      d.state = fiber_state::running;
    }
    if (!look.still_holds()) return;
    if (seen.depth != 0) stack_marks::add(marks_, site, seen.depth, seen.stack->usable_bytes());
    dump_.fibers.push_back(std::move(d));
    seen_.push_back(seen);
  }

  void describe_run(const activation& a, fiber_dump& d, seen_fiber& seen) {
    if (const core* const seat = a.seat.load(relaxed)) d.core = seat->index;
    const std::uint64_t bits = a.word.load();
    const run_state run = a.run.load(acquire);  // Pairs with publish(): the saved context.
    d.state = run == run_state::ready ? fiber_state::ready : fiber_state::running;
    if (run != run_state::suspended || (bits & wait_word::waiting_bit) == 0) return;
    const std::uint64_t epoch = wait_word::epoch_of(bits);
    const stack_occupants who = stack_occupants::of(a);
    if (who.fibers[0] != seen.record) seen.calls = who.fibers[0];
    d.waits_in = seen.calls == nullptr ? a.waits_for.load(relaxed) : "scope::join";
    d.waited = std::chrono::nanoseconds(std::max<std::int64_t>(now_ - a.since.load(relaxed), 0));
    d.has_deadline = seen.calls == nullptr && (a.timed_epoch.load(relaxed) == epoch || has_timeout(a, bits));
    const void* frames[most_frames];
    const std::size_t count = how_ == with_backtraces::yes ? waiting_frames(a, frames) : 0;
    if (seen.calls == nullptr) d.called_children = who.called;
    seen.depth = scheduler_.marks != nullptr ? stack_depth(a) : 0;
    if (!still_waits(a, epoch)) {
      d.waits_in.clear();
      d.has_deadline = false;
      d.waited = {};
      d.called_children = 0;
      seen.calls = nullptr;
      seen.depth = 0;
      return;
    }
    d.state = fiber_state::waiting;
    seen.stack = &a;
    seen.epoch = epoch;
    for (std::size_t i = 0; i < count; ++i) d.backtrace.push_back(names_.of(frames[i], i != 0));
  }

  // Around the wait that `bits` tell of, and able to end it.
  static bool has_timeout(const activation& a, std::uint64_t bits) noexcept {
    for (unsigned i = 0; i < cancel_levels; ++i) {
      if (a.timeouts[i].load(relaxed) != 0 && wait_word::is_open_to(bits, cancel_level_bit(i)) != 0) return true;
    }
    return false;
  }

  static bool still_waits(const activation& a, std::uint64_t epoch) noexcept {
    full_fence();  // What was read before belongs to the wait that is still under way.
    const std::uint64_t bits = a.word.load();
    return wait_word::epoch_of(bits) == epoch && (bits & wait_word::waiting_bit) != 0;
  }

  void add_edge(std::size_t waits, std::size_t on) {
    dump_.fibers[waits].waits_for.push_back(dump_.fibers[on].id);
    edges_.push_back({waits, on});
  }

  // Those that wait for the end of fiber `on`. The nodes of their list lie in frames that may be gone by now.
  void add_joiners(std::size_t on) {
    const void* next = seen_[on].record->end.first_node();
    for (int i = 0; next != nullptr && i < most_joiners; ++i) {
      alignas(wait_node) std::byte bytes[sizeof(wait_node)];
      if (!read_memory(next, bytes, sizeof bytes)) return;
      const auto& node = *reinterpret_cast<const wait_node*>(bytes);
      const auto joiner = by_stack_.find(node.who.record);
      if (joiner != by_stack_.end() && seen_[joiner->second].epoch == node.who.epoch &&
          dump_.fibers[joiner->second].waits_in == "fiber::join") {
        add_edge(joiner->second, on);
      }
      next = node.next;
    }
  }

  void add_owners(std::size_t waits) {
    const activation* const a = seen_[waits].stack;
    if (seen_[waits].calls != nullptr) {
      const auto called = index_.find(seen_[waits].calls);
      if (called != index_.end()) add_edge(waits, called->second);
      return;
    }
    if (a == nullptr || a->target_epoch.load(acquire) != seen_[waits].epoch) return;  // Pairs with note_target().
    const owner_finder find = a->target_owners.load(relaxed);
    const void* const object = a->target.load(relaxed);
    if (!still_waits(*a, seen_[waits].epoch)) return;
    std::array<std::uintptr_t, most_owners> owners;
    const std::size_t count = find(object, owners.data(), owners.size());
    if (!still_waits(*a, seen_[waits].epoch)) return;
    for (std::size_t i = 0; i < count; ++i) {
      const auto owner = index_.find(reinterpret_cast<const fiber_record*>(owners[i]));
      if (owner != index_.end()) {
        add_edge(waits, owner->second);
      } else if (!is_record(owners[i])) {  // Else of a fiber that is younger than our list, or has ended.
        dump_.fibers[waits].waits_for_thread = true;
      }
    }
  }

  bool is_record(std::uintptr_t identity) const noexcept {
    bool is_found = false;
    scheduler_.records.for_each_block(
        [&](void* block, std::size_t) { is_found |= reinterpret_cast<std::uintptr_t>(block) == identity; });
    return is_found;
  }

  void find_cycles() {
    for (const std::vector<std::size_t>& cycle : wait_cycles(seen_.size(), edges_)) {
      const bool is_real = std::all_of(cycle.begin(), cycle.end(), [this](std::size_t i) {
        return !dump_.fibers[i].has_deadline && still_waits(*seen_[i].stack, seen_[i].epoch);
      });
      if (!is_real) continue;
      std::vector<std::uint64_t>& ids = dump_.cycles.emplace_back();
      for (const std::size_t i : cycle) ids.push_back(dump_.fibers[i].id);
    }
  }

  void note_quiescence() {
    if (dump_.fibers.empty()) return;
    const auto waits = [](const fiber_dump& d) { return d.state == fiber_state::waiting; };
    const auto is_awake = [](const auto& c) { return c->is_awake(); };
    if (!std::all_of(dump_.fibers.begin(), dump_.fibers.end(), waits)) return;
    if (std::any_of(scheduler_.cores.begin(), scheduler_.cores.end(), is_awake)) return;
    const auto shorter = [](const fiber_dump& a, const fiber_dump& b) { return a.waited < b.waited; };
    dump_.quiescent = std::min_element(dump_.fibers.begin(), dump_.fibers.end(), shorter)->waited;
  }

  scheduler& scheduler_;
  with_backtraces how_;
  std::int64_t now_;
  runtime_dump dump_;
  std::vector<seen_fiber> seen_;  // One for each of dump_.fibers.
  std::unordered_map<const fiber_record*, std::size_t> index_;
  std::unordered_map<const wait_record*, std::size_t> by_stack_;
  std::vector<wait_edge> edges_;
  frame_names names_;
  stack_marks::table marks_;
};

}  // namespace

runtime_dump take_dump(scheduler& s, with_backtraces how) { return snapshot(s, how).take(); }

}  // namespace weft::inline v0::detail
