#include "kernel_model.h"

#include "platform/poller.h"
#include "platform/system_calls.h"

#include <weft/mc/blocking.h>
#include <weft/mc/engine_scope.h>
#include <weft/mc/execution.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>
#include <utility>

#include <weft/detail/duration.h>

namespace weft_mc {

namespace {

namespace mc = weft::mc;
using weft::detail::ready_event;

constexpr int first_number = 1'000;  // Not to be taken for one of the process.
constexpr int no_queue = -1;

struct file {
  bool is_open = false;
  bool is_number_only = false;  // Its file was closed, and the number kept.
  unsigned connection = 0;
  std::size_t bytes = 0;
  bool has_ended = false;
  bool has_room = false;
  int queue = no_queue;
  std::uint64_t token = 0;
  std::uint32_t pending = 0;  // Flags not fetched yet.
  mc::knowledge known;        // Of whoever did something with it.

  std::uint32_t flags() const {
    return (bytes != 0 || has_ended ? ready_event::readable_flag : 0) |
           (has_ended ? ready_event::read_closed_flag : 0) | (has_room ? ready_event::writable_flag : 0);
  }
};

struct queue {
  bool is_woken = false;
  unsigned changes = 0;
  unsigned changes_seen = 0;  // By wait_unconsumed().
  mc::knowledge known;        // Of those who woke it.
};

file files[4];
queue queues[4];
int queues_made = 0;
unsigned connections = 0;

// The open number, for a call of the running thread; null if it is not open.
file* enter_number(int fd) {
  mc::execution& e = *mc::execution::current();
  e.point(true);
  e.tick();
  const int index = fd - first_number;
  if (index < 0 || index >= static_cast<int>(std::size(files)) || !files[index].is_open) return nullptr;
  file& f = files[index];
  e.self().memory.now.join(f.known);
  f.known.join(e.self().memory.now);
  return &f;
}

// The file behind a number; null if there is none.
file* enter(int fd) {
  file* const f = enter_number(fd);
  return f != nullptr && !f->is_number_only ? f : nullptr;
}

file* enter(const socket& s) {
  file* const f = enter(s.fd);
  return f != nullptr && f->connection == s.connection ? f : nullptr;
}

void report(file& f, std::uint32_t flags) {
  if (f.queue == no_queue || flags == 0) return;
  f.pending |= flags;
  mc::execution& e = *mc::execution::current();
  ++queues[f.queue].changes;
  e.words.count_change(e.self().id);
  e.wake(&queues[f.queue], mc::most_threads);
}

bool has_something(int number) {
  const auto has_events = [&](const file& f) { return f.is_open && f.queue == number && f.pending != 0; };
  return queues[number].is_woken || std::any_of(std::begin(files), std::end(files), has_events);
}

// Until there is something to fetch, or the deadline.
void await(int number, std::int64_t deadline) {
  mc::execution& e = *mc::execution::current();
  e.point(true);
  while (!has_something(number) && (deadline == weft::detail::never || deadline > e.now)) {
    if (!e.sleep_on(&queues[number], deadline != weft::detail::never, deadline)) return;
  }
}

int fetch(int number, std::span<ready_event> events, std::int64_t deadline, bool& is_woken) {
  const mc::engine_scope in_engine;
  mc::execution& e = *mc::execution::current();
  await(number, deadline);
  e.tick();
  is_woken = std::exchange(queues[number].is_woken, false);
  if (is_woken) e.self().memory.now.join(queues[number].known);
  int count = 0;
  for (file& f : files) {
    if (!f.is_open || f.queue != number || f.pending == 0) continue;
    e.self().memory.now.join(f.known);
    events[static_cast<std::size_t>(count++)] = {f.token, std::exchange(f.pending, 0)};
  }
  e.note("fetches " + std::to_string(count) + " events" + (is_woken ? ", and a wake-up" : ""));
  return count;
}

int close_any(int fd) noexcept { return fd >= first_number ? kernel::close(fd) : ::close(fd); }

// A number of the model names nothing from now on.
int dup3_any(int from, int to, int flags) noexcept {
  if (to < first_number) return ::dup3(from, to, flags);
  const mc::engine_scope in_engine;
  file* const f = enter_number(to);
  if (f == nullptr) return -EBADF;
  mc::execution::current()->note("closes a file, and keeps its number");
  f->is_number_only = true;
  f->queue = no_queue;
  f->pending = 0;
  return to;
}

const bool is_installed = [] {
  static weft::detail::system_calls table = weft::detail::real_system_calls();
  table.close = &close_any;
  table.dup3 = &dup3_any;
  weft::detail::exchange_system_calls(&table);
  return true;
}();

}  // namespace

void kernel::begin() {
  const mc::engine_scope in_engine;
  for (file& f : files) f = file();
  for (queue& q : queues) q = queue();
  queues_made = 0;
  connections = 0;
}

socket kernel::open_socket() {
  const mc::engine_scope in_engine;
  int fd = first_number;
  for (file& f : files) {
    if (!f.is_open) {
      f = file();
      f.is_open = true;
      f.connection = ++connections;
      enter(fd);
      return {fd, f.connection};
    }
    ++fd;
  }
  mc::fail("too many sockets");
}

int kernel::close(int fd) {
  const mc::engine_scope in_engine;
  file* const f = enter_number(fd);
  if (f == nullptr) return -EBADF;
  mc::execution::current()->note("closes a socket");
  f->is_open = false;
  return 0;
}

void kernel::arrive(const socket& s, std::size_t bytes) {
  const mc::engine_scope in_engine;
  file* const f = enter(s);
  if (f == nullptr) return;
  f->bytes += bytes;
  report(*f, f->flags());
  mc::execution::current()->note("bytes arrive");
}

void kernel::end_stream(const socket& s) {
  const mc::engine_scope in_engine;
  file* const f = enter(s);
  if (f == nullptr) return;
  f->has_ended = true;
  report(*f, f->flags());
  mc::execution::current()->note("the stream ends");
}

void kernel::make_room(const socket& s) {
  const mc::engine_scope in_engine;
  file* const f = enter(s);
  if (f == nullptr) return;
  f->has_room = true;
  report(*f, f->flags());
}

std::ptrdiff_t kernel::receive(int fd, std::size_t most) {
  const mc::engine_scope in_engine;
  file* const f = enter(fd);
  if (f == nullptr) return -EBADF;
  const std::size_t count = std::min(most, f->bytes);
  f->bytes -= count;
  mc::execution::current()->note("receives " + std::to_string(count));
  return count == 0 && !f->has_ended ? -EAGAIN : static_cast<std::ptrdiff_t>(count);
}

std::ptrdiff_t kernel::send(int fd) {
  const mc::engine_scope in_engine;
  file* const f = enter(fd);
  if (f == nullptr) return -EBADF;
  return f->has_room ? 1 : -EAGAIN;
}

}  // namespace weft_mc

namespace weft::inline v0::detail {

using weft_mc::files;
using weft_mc::queues;

poller::poller() : queue_(weft_mc::queues_made++), wake_(-1) {}
poller::~poller() = default;

int poller::add(int fd, std::uint64_t token) noexcept {
  const mc::engine_scope in_engine;
  weft_mc::file* const f = weft_mc::enter(fd);
  if (f == nullptr) return EBADF;
  if (f->queue != weft_mc::no_queue) return EEXIST;
  f->queue = queue_;
  f->token = token;
  weft_mc::report(*f, f->flags());
  mc::execution::current()->note("adds a socket");
  return 0;
}

int poller::remove(int fd) noexcept {
  const mc::engine_scope in_engine;
  weft_mc::file* const f = weft_mc::enter(fd);
  if (f == nullptr) return EBADF;
  if (f->queue == weft_mc::no_queue) return ENOENT;
  f->queue = weft_mc::no_queue;
  f->pending = 0;
  return 0;
}

int poller::wait(std::span<ready_event> events, std::int64_t deadline) noexcept {
  bool is_woken = false;
  const int count = weft_mc::fetch(queue_, events, deadline, is_woken);
  woken_ = is_woken;  // Watched: the lead keeps others from it.
  return count;
}

void poller::wake() noexcept {
  const mc::engine_scope in_engine;
  mc::execution& e = *mc::execution::current();
  e.point(true);
  e.tick();
  queues[queue_].is_woken = true;
  ++queues[queue_].changes;
  queues[queue_].known.join(e.self().memory.now);
  e.wake(&queues[queue_], mc::most_threads);
  e.note("wakes a poller");
}

int poller::wait_unconsumed(std::int64_t deadline) noexcept {
  const mc::engine_scope in_engine;
  weft_mc::await(queue_, deadline);
  weft_mc::queue& q = queues[queue_];
  // Again what it has been told: it goes round until others have done something.
  if (q.changes_seen == q.changes) mc::spin();
  q.changes_seen = q.changes;
  return weft_mc::has_something(queue_) ? 1 : 0;
}

}  // namespace weft::inline v0::detail
