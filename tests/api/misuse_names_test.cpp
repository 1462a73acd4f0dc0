// Each broken rule has a name: the call that broke it, in the error or in the message that the program ends with.
#include "support/waiting.h"

#include <memory>
#include <optional>
#include <stdexcept>

using namespace weft_test;

namespace {

// What `call` throws, as text; the closed channels' error is no std::system_error.
template <class Call>
std::string complaint_of(Call call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// Ends, in a process of its own, where `object` is destroyed while `wait(*object)` is under way.
template <class Object, class Wait>
void destroy_while_waited_for(std::unique_ptr<Object> object, Wait wait) {
  weft::run([&] {
    const weft::pin_guard stay;
    auto waits = begin_here([&, it = object.get()] { wait(*it); });
    object.reset();
    waits.join();
  });
}

}  // namespace

#define EXPECT_COMPLAINT(call, part) EXPECT_PRED2(contains, complaint_of([&] { call; }), part)

// --- Errors ----------------------------------------------------------------------------------------------------------------

WEFT_TEST(misuse_names, unlocking_what_is_not_yours) {
  weft::mutex plain;
  weft::recursive_mutex again;
  weft::shared_mutex shared;
  EXPECT_COMPLAINT(plain.unlock(), "weft::mutex::unlock: the caller does not own it");
  EXPECT_COMPLAINT(again.unlock(), "weft::recursive_mutex::unlock: the caller does not own it");
  EXPECT_COMPLAINT(shared.unlock(), "weft::shared_mutex::unlock: the caller has not locked it");
  EXPECT_COMPLAINT(shared.unlock_shared(), "weft::shared_mutex::unlock_shared: nobody holds it as reader");
  const std::scoped_lock hold(plain, again, shared);
  weft::spawn([&] {
    EXPECT_COMPLAINT(plain.unlock(), "weft::mutex::unlock: the caller does not own it");
    EXPECT_COMPLAINT(again.unlock(), "weft::recursive_mutex::unlock: the caller does not own it");
    EXPECT_COMPLAINT(shared.unlock(), "weft::shared_mutex::unlock: the caller has not locked it");
  }).join();
}

WEFT_TEST(misuse_names, relocking_a_plain_mutex) {
  weft::mutex plain;
  weft::shared_mutex shared;
  const std::scoped_lock hold(plain, shared);
  EXPECT_COMPLAINT(plain.lock(), "weft::mutex::lock: the caller owns it already");
  EXPECT_COMPLAINT(static_cast<void>(plain.try_lock_for(1ms)), "the caller owns it already");
  EXPECT_COMPLAINT(shared.lock(), "weft::shared_mutex::lock: the caller has locked it as writer");
  EXPECT_COMPLAINT(shared.lock_shared(), "weft::shared_mutex::lock_shared: the caller has locked it as writer");
}

WEFT_TEST(misuse_names, sending_on_what_is_closed) {
  weft::channel<int> ch(1);
  weft::oneshot<int> once;
  weft::broadcast<int> news(1);
  weft::watch<int> level(0);
  ch.close();
  once.close();
  news.close();
  level.close();
  EXPECT_COMPLAINT(ch.send(1), "weft::channel::send: the channel is closed");
  EXPECT_COMPLAINT(static_cast<void>(ch.send_for(1, 1ms)), "weft::channel::send: the channel is closed");
  EXPECT_COMPLAINT(weft::select(weft::on_send(ch, 1)), "weft::select: on_send: the channel is closed");
  EXPECT_COMPLAINT(once.send(1), "weft::oneshot::send: the channel is closed");
  EXPECT_COMPLAINT(news.send(1), "weft::broadcast::send: the channel is closed");
  EXPECT_COMPLAINT(level.set(1), "weft::watch::set: it is closed");
}

WEFT_TEST(misuse_names, counting_what_was_not_there) {
  weft::channel<int> ch(1);
  weft::latch gate(1);
  weft::wait_group group;
  weft::bounded_semaphore permits(1);
  EXPECT_COMPLAINT(ch.task_done(), "weft::channel::task_done");
  gate.count_down();
  EXPECT_COMPLAINT(gate.count_down(), "latch");
  EXPECT_COMPLAINT(group.done(), "wait_group");
  EXPECT_COMPLAINT(permits.release(), "bounded_semaphore");
}

// --- Ends of the program -----------------------------------------------------------------------------------------------------

TEST(misuse_names, destroying_a_mutex_that_another_holds) {
  EXPECT_END(weft::run([] {
               auto gate = std::make_unique<weft::mutex>();
               const weft::pin_guard stay;
               weft::event never;
               auto owns = begin_here([&] {
                 const std::scoped_lock hold(*gate);
                 never.wait();
               });
               gate.reset();
             }),
             "weft::~mutex: a mutex is destroyed while it is locked");
}

TEST(misuse_names, destroying_a_channel_that_is_waited_for) {
  EXPECT_END(destroy_while_waited_for(std::make_unique<weft::channel<int>>(),
                                      [](auto& ch) { static_cast<void>(ch.receive()); }),
             "weft::~channel: a channel is destroyed while it is waited for");
  EXPECT_END(destroy_while_waited_for(std::make_unique<weft::channel<int>>(), [](auto& ch) { ch.send(1); }),
             "weft::~channel: a channel is destroyed while it is waited for");
  EXPECT_END(destroy_while_waited_for(
                 std::make_unique<weft::channel<int>>(),
                 [](auto& ch) { weft::select(weft::on_receive(ch, [](std::optional<int>) {}), weft::on_timeout(1h)); }),
             "weft::~channel: a channel is destroyed while it is waited for");
  EXPECT_END(destroy_while_waited_for(std::make_unique<weft::channel<int>>(1),
                                      [](auto& ch) {
                                        ch.send(1);
                                        ch.join();
                                      }),
             "weft::~channel: a channel is destroyed while it is waited for");
  EXPECT_END(destroy_while_waited_for(std::make_unique<weft::oneshot<int>>(),
                                      [](auto& once) { static_cast<void>(once.receive()); }),
             "a channel is destroyed while it is waited for");
}

TEST(misuse_names, destroying_a_broadcast_or_a_watch_that_is_waited_for) {
  EXPECT_END(destroy_while_waited_for(std::make_unique<weft::broadcast<int>>(1),
                                      [](auto& news) { static_cast<void>(news.subscribe().receive()); }),
             "is destroyed while it is waited for");
  EXPECT_END(destroy_while_waited_for(std::make_unique<weft::watch<int>>(1),
                                      [](auto& level) {
                                        auto reader = level.subscribe();
                                        static_cast<void>(reader.receive());
                                        static_cast<void>(reader.receive());
                                      }),
             "is destroyed while it is waited for");
}

TEST(misuse_names, destroying_a_wait_group_that_is_waited_for) {
  EXPECT_END(destroy_while_waited_for(std::make_unique<weft::wait_group>(),
                                      [](auto& group) {
                                        group.add();
                                        group.wait();
                                      }),
             "wait_group is destroyed while it is waited for");
}
