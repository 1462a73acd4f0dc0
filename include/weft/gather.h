// Running several things at once and having all their results.
//
//   auto [user, orders] = weft::gather([&] { return load_user(id); }, [&] { return load_orders(id); });
//   std::vector<page> pages = weft::map(urls, fetch, 16);        // at most 16 at once
#pragma once

#include <weft/detail/fiber_body.h>
#include <weft/detail/fork_join.h>
#include <weft/detail/small_array.h>
#include <weft/scope.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace weft::inline v0 {

namespace detail {

template <class R>
using value_or_monostate = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

// A place for the result of one child, filled at most once.
template <class R>
class outcome_slot {
 public:
  outcome_slot() noexcept = default;
  outcome_slot(const outcome_slot&) = delete;
  outcome_slot& operator=(const outcome_slot&) = delete;
  ~outcome_slot() {
    if constexpr (is_destroyed) {
      if (is_full_) result_.destroy();
    }
  }

  template <class F>
  void fill(F&& f) {
    result_.fill(std::forward<F>(f));
    if constexpr (is_destroyed) is_full_ = true;
  }

  value_or_monostate<R> take() {
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      return result_.take();
    }
  }

 private:
  static constexpr bool is_destroyed = !std::is_void_v<R> && !std::is_trivially_destructible_v<R>;
  struct nothing {};

  result_slot<R> result_;
  [[no_unique_address]] std::conditional_t<is_destroyed, bool, nothing> is_full_{};
};

// What fill_fork() was given.
template <class F>
WEFT_ALWAYS_INLINE std::remove_reference_t<F>& callable_of(const fork_node& n) noexcept {
  using function = std::remove_reference_t<F>;
  if constexpr (std::is_function_v<function>) {
    return *reinterpret_cast<function*>(const_cast<void*>(n.call));
  } else {
    return *const_cast<function*>(static_cast<const function*>(n.call));
  }
}

template <class F, class Slot>
void run_forked(const fork_node& n) {
  static_cast<Slot*>(n.slot)->fill(std::forward<F>(callable_of<F>(n)));
}

template <class F, class Slot>
WEFT_ALWAYS_INLINE void fill_fork(fork_node& n, Slot& slot, std::remove_reference_t<F>& f) noexcept {
  n.run = &run_forked<F, Slot>;
  if constexpr (std::is_function_v<std::remove_reference_t<F>>) {
    n.call = reinterpret_cast<const void*>(&f);
  } else {
    n.call = std::addressof(f);
  }
  n.slot = &slot;
}

template <class Slot, class F>
WEFT_ALWAYS_INLINE void call_forked(fork_join& join, fork_calls& calls, bool is_first, Slot& slot, F&& f) {
  if (!(is_first ? calls.runs_first_here : join.next(calls))) return;
  try {
    slot.fill(std::forward<F>(f));
  } catch (...) {
    join.failed();
  }
}

// So many children are forked without an allocation for them.
inline constexpr std::size_t few_children = 10;

// How many elements each range of this type has; std::dynamic_extent where that is not part of the type.
template <class Range>
inline constexpr std::size_t fixed_length = std::dynamic_extent;
template <class T, std::size_t Length>
inline constexpr std::size_t fixed_length<std::array<T, Length>> = Length;
template <class T, std::size_t Length>
inline constexpr std::size_t fixed_length<T[Length]> = Length;
template <class T, std::size_t Length>
inline constexpr std::size_t fixed_length<std::span<T, Length>> = Length;

// At least one call; a slot for each.
template <class Call, class Range, class Slots>
WEFT_ALWAYS_INLINE void gather_range(Range&& calls, std::size_t count, Slots& slots) {
  small_array<fork_node, few_children> children(count);
  std::size_t filled = 0;
  // Iterating may run code of the caller's, which may throw or wait: done with before anything is forked.
  for (auto&& each : calls) {
    fill_fork<Call>(children[filled], slots[filled], each);
    ++filled;
  }
  fork_calls calls_made;
  fork_join join(fork_join::lane(), children.begin(), count, calls_made, [] {});
  for (std::size_t i = 0; i < count; ++i) {
    call_forked(join, calls_made, i == 0, slots[i], callable_of<Call>(children[i]));
  }
  join.join(calls_made);
}

[[noreturn]] WEFT_API void refuse_map_limit();

}  // namespace detail

// Calls all of `fs`, each as a child, and returns their results in order; std::monostate for void.
// Throws: the error of a child, which cancels the others; weft::scope_errors if several fail. What the others returned
//   is destroyed.
// Cancel: cancels the children, waits for them, and throws weft::cancelled.
// Blocks: fiber. Lifetime: the callables are only borrowed.
// A child may be called on the caller's stack, in its turn; then it may count on 32 KiB of stack, and it keeps its
//   thread where the caller must. It is a fiber of its own all the same, with its own id, variables and exceptions.
template <std::invocable... Fs>
auto gather(Fs&&... fs) -> std::tuple<detail::value_or_monostate<std::invoke_result_t<Fs>>...> {
  std::tuple<detail::outcome_slot<std::invoke_result_t<Fs>>...> slots;
  if constexpr (sizeof...(Fs) != 0) {
    std::apply(
        [&](auto&... slot) {
          detail::fork_lane& lane = detail::fork_join::lane();
          detail::fork_node children[sizeof...(Fs)];
          // All but the first: that one only where it cannot be called here.
          auto* child = children;
          ((child == children ? void() : detail::fill_fork<Fs>(*child, slot, fs), ++child), ...);
          detail::fork_calls calls;
          detail::fork_join join(lane, children, sizeof...(Fs), calls, [&] {
            child = children;
            ((child++ != children ? void() : detail::fill_fork<Fs>(*children, slot, fs)), ...);
          });
          bool is_first = true;
          (detail::call_forked(join, calls, std::exchange(is_first, false), slot, std::forward<Fs>(fs)), ...);
          join.join(calls);
        },
        slots);
  }
  return std::apply(
      [](auto&... slot) { return std::tuple<detail::value_or_monostate<std::invoke_result_t<Fs>>...>{slot.take()...}; },
      slots);
}

// The same for a range of callables of one type. Returns: a std::array where the number of them is part of the range's
// type (std::array, a plain array, a std::span with an extent), else a std::vector.
template <std::ranges::forward_range Range>
requires std::invocable<std::ranges::range_reference_t<Range>>
auto gather(Range&& calls) {
  using call = std::ranges::range_reference_t<Range>;
  using result = std::invoke_result_t<call>;
  static_assert(!std::is_reference_v<result>,
                "gather of a range returns an array or a vector, which hold no references");
  static_assert(std::is_reference_v<call>, "gather of a range borrows its callables: they must lie somewhere");
  constexpr std::size_t fixed = detail::fixed_length<std::remove_cvref_t<Range>>;
  if constexpr (fixed != std::dynamic_extent) {
    std::array<detail::outcome_slot<result>, fixed> slots;
    if constexpr (fixed != 0) detail::gather_range<call>(calls, fixed, slots);
    return [&]<std::size_t... Places>(std::index_sequence<Places...>) {
      return std::array<detail::value_or_monostate<result>, fixed>{slots[Places].take()...};
    }
    (std::make_index_sequence<fixed>());
  } else {
    const auto count = static_cast<std::size_t>(std::ranges::distance(calls));
    detail::small_array<detail::outcome_slot<result>, detail::few_children> slots(count);
    if (count != 0) detail::gather_range<call>(calls, count, slots);
    std::vector<detail::value_or_monostate<result>> results;
    results.reserve(count);
    for (auto& filled : slots) results.push_back(filled.take());
    return results;
  }
}

// Calls `f` with each element of `inputs`, at most `limit` at once, and returns the results in order.
// Throws: std::invalid_argument for a limit of 0; else as gather().
template <std::ranges::random_access_range Range, class F>
requires std::ranges::sized_range<Range> && std::invocable<F&, std::ranges::range_reference_t<Range>>
auto map(Range&& inputs, F f, std::size_t limit) {
  using result = std::invoke_result_t<F&, std::ranges::range_reference_t<Range>>;
  static_assert(!std::is_reference_v<result>, "map returns a vector, which holds no references");
  if (limit == 0) detail::refuse_map_limit();
  const auto count = static_cast<std::size_t>(std::ranges::size(inputs));
  std::vector<detail::outcome_slot<result>> slots(count);
  detail::atomic<std::size_t> next{0};
  detail::atomic<std::size_t> done{0};
  scope crew;
  for (std::size_t i = 0; i < std::min(limit, count); ++i) {
    crew.spawn([&] {
      for (std::size_t at = next.fetch_add(1, detail::relaxed); at < count; at = next.fetch_add(1, detail::relaxed)) {
        detail::check_cancelled("map");
        auto&& input = std::ranges::begin(inputs)[static_cast<std::ranges::range_difference_t<Range>>(at)];
        slots[at].fill([&]() -> result { return std::invoke(f, std::forward<decltype(input)>(input)); });
        done.fetch_add(1, detail::relaxed);  // Published, as the results are, by the end of the child.
      }
    });
  }
  crew.join();
  if (done.load(detail::relaxed) != count) detail::throw_lost_call("map");
  std::vector<detail::value_or_monostate<result>> results;
  results.reserve(count);
  for (auto& each : slots) results.push_back(each.take());
  return results;
}

// Calls all of `fs`, each as a child. The first that ends decides: its result is returned, as a variant whose index is
// its place, or its error thrown. The others are cancelled and waited for; what they return or throw is dropped.
// Cancel, Blocks: as gather().
template <std::invocable... Fs>
requires(sizeof...(Fs) > 0) auto race(Fs&&... fs)
    -> std::variant<detail::value_or_monostate<std::invoke_result_t<Fs>>...> {
  using outcome = std::variant<detail::value_or_monostate<std::invoke_result_t<Fs>>...>;
  std::optional<outcome> won;
  std::exception_ptr error;
  detail::atomic<bool> is_over{false};
  scope crew(scope_policy::collect());
  const auto run = [&]<std::size_t Place, class F>(std::in_place_index_t<Place> place, F&& f) {
    using result = std::invoke_result_t<F>;
    bool is_first = false;
    try {
      detail::outcome_slot<result> slot;
      slot.fill(std::forward<F>(f));
      is_first = !is_over.exchange(true, detail::acq_rel);
      if (!is_first) return;
      won.emplace(place, slot.take());
    } catch (const cancelled&) {
      throw;
    } catch (...) {  // Of the call, or of moving its result.
      if (!is_first && is_over.exchange(true, detail::acq_rel)) return;
      error = std::current_exception();
    }
    crew.cancel(cancel_reason::scope);
  };
  [&]<std::size_t... Places>(std::index_sequence<Places...>) {
    (crew.spawn([&run, &fs] { run(std::in_place_index<Places>, std::forward<Fs>(fs)); }), ...);
  }
  (std::index_sequence_for<Fs...>());
  crew.join();
  if (error != nullptr) std::rethrow_exception(error);
  if (!won) detail::throw_lost_call("race");
  return std::move(*won);
}

}  // namespace weft::inline v0
