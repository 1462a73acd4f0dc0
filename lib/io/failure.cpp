#include "io/failure.h"

#include "scheduler/cancellation.h"

#include <cerrno>

namespace weft::inline v0 {

namespace {

class io_category_type final : public std::error_category {
 public:
  const char* name() const noexcept override { return "weft.io"; }

  std::string message(int value) const override {
    return value == static_cast<int>(io_errc::end_of_stream) ? "The stream ended too early"
                                                             : "Unknown weft.io error " + std::to_string(value);
  }
};

// Codes may be compared and printed by static destructors, so the category is never destroyed.
union undestroyed_category {
  io_category_type category;

  constexpr undestroyed_category() noexcept : category() {}
  ~undestroyed_category() {}
};

constinit undestroyed_category undestroyed;

}  // namespace

const std::error_category& io_category() noexcept { return undestroyed.category; }

namespace detail {

std::error_code to_error_code(int error) noexcept {
  if (error == early_end) return io_errc::end_of_stream;
  return std::error_code(error, std::generic_category());
}

std::string_view explain_permission(int error) noexcept {
  return error == EPERM && current_fiber() == nullptr ? "not called from a fiber" : "";
}

void throw_failure(int error, const call_site& where) {
  if (error == ECANCELED) throw_cancelled(where.call.data());  // A literal.
  std::string text(where.call);
  if (!where.subject.empty()) text.append(" ").append(where.subject);
  if (!where.detail.empty()) text.append(" (").append(where.detail).append(")");
  throw std::system_error(to_error_code(error), text);
}

}  // namespace detail
}  // namespace weft::inline v0
