// Signal handlers of the program that could run on the stack of a fiber.
#pragma once

namespace weft::inline v0::detail {

class scheduler;

// Reports each handler that was installed without SA_ONSTACK, once in the life of the process.
void report_foreign_handlers(scheduler& s) noexcept;

}  // namespace weft::inline v0::detail
