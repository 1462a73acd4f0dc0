// A select whose cases are put together while the program runs.
#pragma once

#include <weft/select.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace weft::inline v0 {

//   weft::select_set inputs;
//   for (auto& each : sources) inputs.add(weft::on_receive(each, [&](std::optional<line> next) { ... }));
//   while (running) inputs.select();
//
// Thread safety: none; one fiber or thread at a time. A handler may not change the set that calls it, but may disable
//   and enable its cases.
// Lifetime: what the cases are about must outlive the set, or be removed from it.
class select_set {
 public:
  // Adds a case, as made by on_receive() and the others, and returns its index: the first is 0. It is used again and
  // again: a case that sends takes a reference, on_send(channel, std::ref(value)).
  template <detail::selectable Case>
  std::size_t add(Case c) {
    static_assert(!detail::is_for_one_select<Case>,
                  "a select_set sends again and again what outlives it: on_send(channel, std::ref(value))");
    if (kept_.size() >= UINT16_MAX) throw std::length_error("weft::select_set::add: it has 65535 cases");
    auto made = std::make_unique<holder<Case>>(std::move(c));
    made->known = &made->what;
    kept_.push_back(std::move(made));
    return kept_.size() - 1;
  }

  // A disabled case is never chosen. Index as add() returned it.
  void disable(std::size_t index) { kept_.at(index)->known->is_off = true; }
  void enable(std::size_t index) { kept_.at(index)->known->is_off = false; }

  std::size_t size() const noexcept { return kept_.size(); }
  void clear() noexcept { kept_.clear(); }

  // As weft::select() and weft::select_in_order() over all cases of the set.
  std::size_t select() { return choose(false); }
  std::size_t select_in_order() { return choose(true); }

 private:
  struct basic_holder {
    virtual ~basic_holder() = default;
    virtual void prepare() noexcept = 0;
    virtual void run() = 0;
    detail::select_case* known = nullptr;
  };
  template <class Case>
  struct holder final : basic_holder {
    explicit holder(Case&& c) : what(std::move(c)) {}
    void prepare() noexcept override { what.prepare(); }
    void run() override { what.run(); }
    Case what;
  };

  std::size_t choose(bool by_priority) {
    order_.resize(kept_.size());
    cases_.clear();
    for (const auto& each : kept_) {
      each->prepare();
      cases_.push_back(each->known);
    }
    const std::size_t chosen = detail::run_select(cases_.data(), order_.data(), cases_.size(), by_priority);
    kept_[chosen]->run();
    return chosen;
  }

  std::vector<std::unique_ptr<basic_holder>> kept_;
  std::vector<detail::select_case*> cases_;
  std::vector<std::uint16_t> order_;
};

}  // namespace weft::inline v0
