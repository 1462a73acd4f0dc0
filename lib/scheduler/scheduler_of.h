// The way from the public handle of a runtime down to its scheduler; defined by the layer that composes them.
#pragma once

namespace weft::inline v0 {

class runtime;

namespace detail {

class scheduler;

scheduler& scheduler_of(runtime& r) noexcept;

}  // namespace detail
}  // namespace weft::inline v0
