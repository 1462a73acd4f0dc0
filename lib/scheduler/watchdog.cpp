#include "scheduler/watchdog.h"

#include "platform/clock.h"
#include "platform/interrupted_frames.h"
#include "platform/memory_reader.h"
#include "platform/signal_hook.h"
#include "platform/thread_time.h"
#include "scheduler/backtrace.h"
#include "scheduler/fiber_snapshot.h"
#include "scheduler/foreign_handlers.h"
#include "scheduler/occupants.h"
#include "scheduler/overflow_report.h"
#include "scheduler/scheduler.h"

#include <algorithm>
#include <string>

namespace weft::inline v0::detail {

namespace {

constexpr std::int64_t usual_limit = 25'000'000;
constexpr std::int64_t patience = 200'000'000;         // For an answer: a worker may sleep where no signal reaches it.
constexpr std::int64_t ring_interval = 1'000'000'000;  // Between two looks at all fibers.
constexpr std::size_t most_holders = 16;               // That are listed.
constexpr std::size_t most_rings = 64;                 // Told ones that are remembered.

std::uint64_t progress_of(const core& c) noexcept {
  return c.rounds.load(relaxed) + c.counters.switches.load() + c.counters.started.load() + c.counters.ended.load();
}

// Runs in the handler, on the worker.
void answer(const signal_event& event) noexcept {
  core* const c = here();
  watch_sample* const s = c != nullptr ? c->asked_where.exchange(nullptr, acquire) : nullptr;  // Pairs with ask().
  if (s == nullptr) return;
  const stack_occupants who = c->current != nullptr ? stack_occupants::of(*c->current) : stack_occupants{};
  s->has_fiber = who.count != 0;
  if (s->has_fiber) {
    write_fiber(s->fiber, *who.fibers[0]);
    s->id = who.fibers[0]->id.load(relaxed);
  }
  s->called = who.called;
  const auto collect = [](void* to, const void* code, bool) noexcept {
    auto& sample = *static_cast<watch_sample*>(to);
    sample.frames[sample.count++] = code;
    return sample.count < watch_sample::most_frames;
  };
  walk_interrupted(event, collect, s);
  s->done.store(true, release);  // Pairs with look_at().
}

// Fibers that could run, but only where the held core is.
std::size_t ready_behind(scheduler& s, const core& c) {
  std::size_t count = 0;
  s.for_each_fiber([&](fiber_record& f) {
    const activation* const a = f.on_stack.load(acquire);  // Pairs with move_in().
    if (a == nullptr || a->run.load(relaxed) != run_state::ready) return;
    if (a->seat.load(relaxed) != &c) return;
    bool migrates = false;
    copy_memory(&a->migrates, &migrates, sizeof migrates);
    if (!migrates) ++count;
  });
  return count;
}

// Of a worker that sleeps in a call of the system. It may wait for a lock, or for another one to initialise a static, and
// who holds that may be a fiber that waits itself, with no thread that would show it.
std::string possible_holders(scheduler& s, const watch_sample& of) {
  runtime_dump seen = take_dump(s, with_backtraces::yes);
  std::erase_if(seen.fibers, [&of](const fiber_dump& f) {
    return f.id == of.id || f.state == fiber_state::fresh || f.state == fiber_state::running;
  });
  if (seen.fibers.empty()) return {};
  const std::size_t left_out = seen.fibers.size() - std::min(seen.fibers.size(), most_holders);
  seen.fibers.resize(seen.fibers.size() - left_out);
  seen.cycles.clear();
  seen.stacks.clear();
  seen.quiescent.reset();
  return "  it sleeps in a call of the system; if that waits for a lock, or for a static to be initialised, a fiber "
         "that "
         "waits may hold it:\n" +
         seen.text() + (left_out != 0 ? "  and " + std::to_string(left_out) + " more\n" : std::string());
}

}  // namespace

std::int64_t watch_limit(const options& wanted) noexcept {
  if (wanted.watchdog) return wanted.watchdog->count();
#if defined(WEFT_CHECKED) && !defined(WEFT_ASAN) && !defined(WEFT_TSAN)
  return usual_limit;
#else
  static_cast<void>(usual_limit);
  return 0;
#endif
}

watchdog::watchdog(scheduler& s) : scheduler_(s), limit_(watch_limit(s.wanted)) {
  if (limit_ == 0) return;
  for (std::size_t i = 0; i < s.cores.size(); ++i) watched_.push_back(std::make_unique<watched_core>());
  hook_signal(where_signal, &answer);
}

watchdog::~watchdog() {
  if (limit_ != 0) unhook_signal(where_signal);
}

void watchdog::look(std::int64_t now) noexcept {
  for (std::size_t i = 0; i < watched_.size(); ++i) look_at(*scheduler_.cores[i], *watched_[i], now);
  if (limit_ == 0 || now < next_rings_) return;
  if (next_rings_ != 0) {
    look_for_rings();
    if (scheduler_.wanted.signal_report) report_foreign_handlers(scheduler_);
  }
  next_rings_ = now + ring_interval;
}

void watchdog::look_at(core& c, watched_core& w, std::int64_t now) noexcept {
  const std::uint64_t progress = progress_of(c);
  const bool is_answering = w.what == suspicion::asked && !w.sample.done.load(acquire);  // Pairs with answer().
  if (is_answering && now - w.asked_at < patience) return;
  if (w.what == suspicion::asked) {
    w.what = tell(c, w, now) ? suspicion::told : suspicion::unanswered;
  } else if (w.what == suspicion::unanswered && progress == w.progress && w.sample.done.load(acquire)) {
    tell(c, w, now);  // It did not get its CPU then: now the name.
    w.what = suspicion::told;
  }
  if (progress != w.progress || !c.is_awake()) {
    w.what = suspicion::none;
    w.progress = progress;
    w.since = now;
  } else if (w.what == suspicion::none) {
    w.what = suspicion::timed;
    w.cpu_since = thread_time(c.thread_id.load(relaxed));
  } else if (w.what == suspicion::timed && now - w.since >= limit_ && is_held(c, w)) {
    ask(c, w, now);
  }
}

bool watchdog::is_held(const core& c, watched_core& w) const noexcept {
  const std::int32_t thread = c.thread_id.load(relaxed);
  w.sleeps = thread_sleeps(thread);
  return w.sleeps || thread_time(thread) - w.cpu_since >= limit_ - limit_ / 4;
}

void watchdog::ask(core& c, watched_core& w, std::int64_t now) noexcept {
  if (c.asked_where.load(relaxed) != nullptr) return;  // It has never answered the last time.
  w.sample.done.store(false, relaxed);
  w.sample.has_fiber = false;
  w.sample.fiber.clear();
  w.sample.count = 0;
  w.what = suspicion::asked;
  w.asked_at = now;
  c.asked_where.store(&w.sample, release);  // Pairs with answer().
  signal_thread(c.thread_id.load(relaxed), where_signal);
}

bool watchdog::tell(core& c, watched_core& w, std::int64_t now) noexcept {
  const bool has_answered = w.sample.done.load(acquire);  // Pairs with answer().
  // What it does where no fiber runs is weft's own: it sleeps, or looks for work.
  if (has_answered && !w.sample.has_fiber) return true;
  try {
    std::string text = "weft: watchdog: ";
    text += has_answered ? std::string(w.sample.fiber.view()) : std::string("a fiber that does not answer");
    text += ", holds core " + std::to_string(c.index) + " for " + std::to_string((now - w.since) / 1'000'000) +
            " ms now without letting others run";
    if (const std::size_t waiting = ready_behind(scheduler_, c); waiting != 0) {
      text += "; " + std::to_string(waiting) +
              " ready fiber(s) wait behind it: migration::free would let other cores run them";
    }
    text += "\n";
    if (has_answered && w.sample.called != 0) {
      text += "    calling children of weft::gather on its stack, " + std::to_string(w.sample.called) + " deep\n";
    }
    frame_names names;
    for (std::size_t i = 0; has_answered && i < w.sample.count; ++i) {
      text += "    #" + std::to_string(i) + " " + names.of(w.sample.frames[i], i != 0) + "\n";
    }
    if (w.sleeps) text += possible_holders(scheduler_, w.sample);
    scheduler_.report(text);
  } catch (const std::bad_alloc&) {
    scheduler_.report("weft: watchdog: a fiber holds its core for too long\n");
  }
  return has_answered;
}

void watchdog::look_for_rings() noexcept {
  try {
    runtime_dump seen = take_dump(scheduler_, with_backtraces::no);
    std::erase_if(seen.cycles, [this](const auto& ring) { return !told_rings_.insert(ring).second; });
    if (told_rings_.size() > most_rings) told_rings_.clear();
    if (seen.cycles.empty()) return;
    std::set<std::uint64_t> members;
    for (const auto& ring : seen.cycles) members.insert(ring.begin(), ring.end());
    std::erase_if(seen.fibers, [&members](const fiber_dump& f) { return !members.contains(f.id); });
    scheduler_.report("weft: watchdog: fibers wait for each other\n" + seen.text());
  } catch (const std::bad_alloc&) {
    return;  // The next look may have more luck.
  }
}

}  // namespace weft::inline v0::detail
