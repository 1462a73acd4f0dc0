#include <weft/watched_descriptor.h>

#include "io/failure.h"
#include "reactor/descriptor.h"

#include <cerrno>
#include <string>

namespace weft::inline v0 {

namespace {

[[noreturn]] void fail(int error, std::string_view call, int fd) {
  const std::string subject = "of descriptor " + std::to_string(fd);
  detail::throw_failure(error, {call, subject, detail::explain_permission(error)});
}

// A watch that has ended makes nobody wait.
bool wait(detail::descriptor& d, detail::direction in, deadline limit, std::string_view call, int fd) {
  const int error = d.wait_until_possible(in, limit.nanoseconds());
  if (error == ETIMEDOUT) return false;
  if (error != 0 && error != EBADF) fail(error, call, fd);
  return true;
}

}  // namespace

watched_descriptor::watched_descriptor(int fd) : watched_(std::make_unique<detail::descriptor>()), fd_(fd) {
  const int error = fd < 0 ? EBADF : detail::descriptor::borrow(fd, *watched_);
  if (error != 0) fail(error, "watched_descriptor", fd);
}

watched_descriptor::~watched_descriptor() = default;
watched_descriptor::watched_descriptor(watched_descriptor&&) noexcept = default;
watched_descriptor& watched_descriptor::operator=(watched_descriptor&&) noexcept = default;

bool watched_descriptor::wait_readable_until(deadline limit) {
  return wait(*watched_, detail::direction::read, limit, "watched_descriptor::wait_readable", fd_);
}

bool watched_descriptor::wait_writable_until(deadline limit) {
  return wait(*watched_, detail::direction::write, limit, "watched_descriptor::wait_writable", fd_);
}

void watched_descriptor::unwatch() noexcept { watched_->close(); }

bool watched_descriptor::is_watched() const noexcept { return watched_->is_open(); }

}  // namespace weft::inline v0
