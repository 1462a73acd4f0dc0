#include "scheduler/callback.h"

#include "platform/system_calls.h"
#include "scheduler/cancellation.h"
#include "scheduler/fiber_local.h"
#include "scheduler/here.h"
#include "scheduler/scheduler.h"

#include <exception>
#include <string>

namespace weft::inline v0::detail {

namespace {

constexpr std::size_t function_offset(std::size_t alignment) noexcept {
  return (sizeof(callback_node) + alignment - 1) / alignment * alignment;
}

std::align_val_t block_alignment(const callback_type& type) noexcept {
  return std::align_val_t{type.alignment > alignof(callback_node) ? type.alignment : alignof(callback_node)};
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return std::string("the exception: ") + e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

void tell(core* c, std::string_view text) noexcept {
  if (c != nullptr) {
    c->owner.report(text);
  } else {
    sys().write(2, text.data(), text.size());
  }
}

WEFT_COLD void report_error(const std::exception_ptr& error) noexcept {
  core* const c = here();
  try {
    const fiber_record* const f = current_fiber();
    if (f != nullptr && c->owner.wanted.on_lost_error) {
      c->owner.wanted.on_lost_error(
          {error, f->name(), f->id.load(relaxed), f->site.load().file_name(), f->site.load().line()});
      return;
    }
    tell(c, "weft: a callback ended with " + text_of(error) + "\n");
  } catch (...) {
    tell(c, "weft: a callback ended with an error, and so did the attempt to report it\n");
  }
}

}  // namespace

callback_node* new_callback(const callback_type& type) {
  const std::size_t offset = function_offset(type.alignment);
  void* const block = ::operator new(offset + type.bytes, block_alignment(type));
  auto* const node = ::new (block) callback_node;
  node->type = &type;
  node->function = static_cast<std::byte*>(block) + offset;
  return node;
}

void* function_of(callback_node* node) noexcept { return node->function; }

void abandon(callback_node* node) noexcept {
  const std::align_val_t alignment = block_alignment(*node->type);
  node->~callback_node();
  ::operator delete(node, alignment);
}

void drop_callback(wait_node* n) noexcept {
  auto* const node = static_cast<callback_node*>(n);
  node->type->destroy(node->function);
  abandon(node);
}

void run_callbacks(wait_node* first) noexcept {
  const shielded from_cancellation;
  while (first != nullptr) {
    auto* const node = static_cast<callback_node*>(first);
    first = first->next;
    try {
      node->type->call(node->function);
    } catch (...) {
      report_error(std::current_exception());
    }
    const bool keeps_runtime = node->keeps_runtime;
    drop_callback(node);
    if (const fiber_record* const f = current_fiber(); f != nullptr && f->end.done()) end_late_locals(*f);
    if (keeps_runtime) here()->owner.callback_returned();  // Its fiber's end called it.
  }
}

void call_when_done(completion& c, callback_node& n) noexcept {
  n.who = {};
  if (c.add(n)) return;
  c.wait_out_finisher();
  n.next = nullptr;
  run_callbacks(&n);
}

}  // namespace weft::inline v0::detail
