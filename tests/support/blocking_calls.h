// Every call of the synchronisation layer that blocks, with what wakes it and what must not be lost.
#pragma once

#include "support/cancel_storm.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

namespace weft_test {

// A lock is held by a fiber of its own until it is woken: only the owner may unlock.
template <class Mutex>
struct held_lock {
  Mutex gate;
  weft::event release;
  weft::fiber<void> holder;
  std::atomic<int> inside{0};

  held_lock() {
    weft::event held;
    holder = weft::spawn([this, &held] {
      const std::lock_guard hold(gate);
      held.set();
      release.wait();
    });
    held.wait();
  }
  void enter() { EXPECT_EQ(++inside, 1); }
  void leave() { --inside; }
  void check() {
    holder.join();
    EXPECT_TRUE(gate.try_lock());
    gate.unlock();
  }
};

template <class Mutex, class Lock>
blocking_call lock_call(Lock lock) {
  auto held = std::make_shared<held_lock<Mutex>>();
  return {[held, lock] { lock(*held); },
          [held] {
            held->release.set();
            return true;
          },
          [held](bool) { held->check(); }};
}

inline blocking_call plain_lock_call() {
  return lock_call<weft::mutex>([](auto& held) {
    const std::lock_guard hold(held.gate);
    held.enter();
    held.leave();
  });
}

inline blocking_call timed_lock_call() {
  return lock_call<weft::mutex>([](auto& held) {
    const std::unique_lock hold(held.gate, long_enough);
    EXPECT_TRUE(hold.owns_lock());
    held.enter();
    held.leave();
  });
}

inline blocking_call writer_lock_call() {
  return lock_call<weft::shared_mutex>([](auto& held) {
    const std::lock_guard hold(held.gate);
    held.enter();
    held.leave();
  });
}

inline blocking_call reader_lock_call() {
  return lock_call<weft::shared_mutex>([](auto& held) { const std::shared_lock hold(held.gate); });
}

struct guarded_tokens {
  weft::mutex gate;
  weft::condition_variable told;
  int tokens = 0;
};

template <class Wait>
blocking_call condition_call(Wait wait) {
  auto shared = std::make_shared<guarded_tokens>();
  return {[shared, wait] {
            std::unique_lock lock(shared->gate);
            wait(*shared, lock);
            --shared->tokens;
          },
          [shared] {
            const std::lock_guard lock(shared->gate);
            ++shared->tokens;
            shared->told.notify_one();
            return true;
          },
          [shared](bool happened) {
            std::unique_lock lock(shared->gate);
            EXPECT_EQ(shared->tokens, happened ? 0 : 1);
          }};
}

inline blocking_call channel_receive_call(std::size_t room, bool select) {
  struct state {
    explicit state(std::size_t room) : words(room), never(0) {}
    weft::channel<int> words, never;
    bool was_sent = false;
    std::optional<int> got;
  };
  auto shared = std::make_shared<state>(room);
  return {[shared, select] {
            if (select) {
              weft::select(weft::on_receive(shared->never, shared->got), weft::on_receive(shared->words, shared->got),
                           weft::on_timeout(std::chrono::hours::max()));
            } else {
              shared->got = shared->words.receive();
            }
            EXPECT_EQ(shared->got, 7);
          },
          [shared] { return shared->was_sent || (shared->was_sent = shared->words.try_send(7)); },
          [shared](bool happened) {
            EXPECT_EQ(shared->words.try_receive().has_value(), shared->was_sent && !happened);
            EXPECT_TRUE(shared->was_sent || !happened);
          }};
}

inline blocking_call channel_send_call(std::size_t room) {
  struct state {
    explicit state(std::size_t room) : words(room) {}
    weft::channel<std::unique_ptr<int>> words;
    std::unique_ptr<int> mine = std::make_unique<int>(2);
    std::unique_ptr<int> got;
    bool was_taken = false;
  };
  auto shared = std::make_shared<state>(room);
  for (std::size_t i = 0; i < room; ++i) shared->words.send(std::make_unique<int>(1));
  return {[shared] { shared->words.send(std::move(shared->mine)); },
          [shared] {
            if (shared->was_taken) return true;
            if (auto value = shared->words.try_receive()) {
              shared->got = std::move(*value);
              shared->was_taken = true;
            }
            return shared->was_taken;
          },
          [shared, room](bool happened) {
            EXPECT_EQ(shared->mine == nullptr, happened) << "what was not sent stays with its sender";
            std::size_t twos = shared->was_taken && *shared->got == 2 ? 1 : 0, ones = shared->was_taken ? 1 - twos : 0;
            while (auto value = shared->words.try_receive()) ++(**value == 2 ? twos : ones);
            EXPECT_EQ(ones, room);
            EXPECT_EQ(twos, happened ? 1u : 0u);
          }};
}

template <class Object, class Call, class Wake, class Check>
blocking_call object_call(std::shared_ptr<Object> object, Call call, Wake wake, Check check) {
  return {[object, call] { call(*object); },
          [object, wake] {
            wake(*object);
            return true;
          },
          [object, check](bool happened) { check(*object, happened); }};
}

// Fibers that end when `go` is set.
struct fibers_to_end {
  weft::event go;
  std::vector<weft::fiber<int>> crowd;
  explicit fibers_to_end(int count) {
    for (int i = 0; i < count; ++i) {
      crowd.push_back(weft::spawn([this, i] {
        go.wait();
        return i;
      }));
    }
  }
};

template <class Call>
blocking_call ends_call(int count, Call call) {
  return object_call(
      std::make_shared<fibers_to_end>(count), call, [](fibers_to_end& f) { f.go.set(); },
      [](fibers_to_end& f, bool) {
        for (std::size_t i = 0; i < f.crowd.size(); ++i) {
          if (!f.crowd[i].joinable()) continue;
          EXPECT_EQ(f.crowd[i].join(), static_cast<int>(i));
        }
      });
}

inline std::vector<named_call> waiting_calls() {
  return {
      {"join", [] { return ends_call(1, [](auto& f) { EXPECT_EQ(f.crowd[0].join(), 0); }); }},
      {"timed join", [] { return ends_call(1, [](auto& f) { EXPECT_EQ(f.crowd[0].join(long_enough), 0); }); }},
      {"wait", [] { return ends_call(3, [](auto& f) { EXPECT_EQ(weft::wait(f.crowd).done.size(), 3u); }); }},
      {"as_completed",
       [] {
         return ends_call(3, [](auto& f) {
           for (auto& each : weft::as_completed(f.crowd)) each.join();
         });
       }},
      {"scope",
       [] {
         return object_call(
             std::make_shared<weft::event>(),
             [](weft::event& go) {
               weft::with_scope([&](weft::scope& crew) {
                 for (int i = 0; i < 3; ++i) crew.spawn([&] { go.wait(); });
               });
             },
             [](weft::event& go) { go.set(); }, [](weft::event&, bool) {});
       }},
      {"gather",
       [] {
         return object_call(
             std::make_shared<weft::event>(),
             [](weft::event& go) { weft::gather([&] { go.wait(); }, [&] { go.wait(); }); },
             [](weft::event& go) { go.set(); }, [](weft::event&, bool) {});
       }},
      {"sleep",
       [] {
         return blocking_call{[] { weft::this_fiber::sleep_for(5us); }, [] { return true; }, [](bool) {},
                              /*happens_by_itself=*/true};
       }},
  };
}

inline std::vector<named_call> locking_calls() {
  return {
      {"mutex", plain_lock_call},
      {"timed mutex", timed_lock_call},
      {"shared_mutex as writer", writer_lock_call},
      {"shared_mutex as reader", reader_lock_call},
      {"condition_variable",
       [] {
         return condition_call([](guarded_tokens& g, auto& lock) { g.told.wait(lock, [&] { return g.tokens > 0; }); });
       }},
      {"timed condition_variable",
       [] {
         return condition_call([](guarded_tokens& g, auto& lock) {
           EXPECT_TRUE(g.told.wait_for(lock, long_enough, [&] { return g.tokens > 0; }));
         });
       }},
      {"semaphore",
       [] {
         return object_call(
             std::make_shared<weft::semaphore>(0), [](auto& s) { s.acquire(); }, [](auto& s) { s.release(); },
             [](auto& s, bool happened) { EXPECT_EQ(s.try_acquire(), !happened); });
       }},
  };
}

inline std::vector<named_call> signalling_calls() {
  return {
      {"event",
       [] {
         return object_call(
             std::make_shared<weft::event>(), [](auto& e) { e.wait(); }, [](auto& e) { e.set(); },
             [](auto& e, bool) { EXPECT_TRUE(e.is_set()); });
       }},
      {"auto_reset_event",
       [] {
         return object_call(
             std::make_shared<weft::auto_reset_event>(), [](auto& e) { e.wait(); }, [](auto& e) { e.set(); },
             [](auto& e, bool happened) { EXPECT_EQ(e.try_wait(), !happened); });
       }},
      {"latch",
       [] {
         return object_call(
             std::make_shared<weft::latch>(1), [](auto& l) { l.wait(); }, [](auto& l) { l.count_down(); },
             [](auto&, bool) {});
       }},
      {"barrier",
       [] {
         return object_call(
             std::make_shared<weft::barrier<>>(2), [](auto& b) { b.arrive_and_wait(); },
             [](auto& b) {
               try {
                 static_cast<void>(b.arrive());
               } catch (const weft::broken_barrier&) {
               }
             },
             [](auto& b, bool happened) { EXPECT_TRUE(!happened || !b.is_broken()); });
       }},
      {"future",
       [] {
         struct result {
           weft::promise<int> to;
           weft::future<int> from = to.get_future();
         };
         return object_call(
             std::make_shared<result>(), [](auto& r) { EXPECT_EQ(r.from.get(), 7); },
             [](auto& r) { r.to.set_result(7); },
             [](auto& r, bool happened) {
               EXPECT_EQ(r.from.valid(), !happened);
               if (!happened) {
                 EXPECT_EQ(r.from.get(), 7);
               }
             });
       }},
  };
}

inline std::vector<named_call> channel_calls() {
  return {
      {"receive", [] { return channel_receive_call(1, false); }},
      {"receive by hand-over", [] { return channel_receive_call(0, false); }},
      {"send", [] { return channel_send_call(1); }},
      {"send by hand-over", [] { return channel_send_call(0); }},
      {"select", [] { return channel_receive_call(1, true); }},
      {"select by hand-over", [] { return channel_receive_call(0, true); }},
  };
}

}  // namespace weft_test
