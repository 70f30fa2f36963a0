// SPDX-License-Identifier: Apache-2.0
// The two sides of key rotation, the server's (model/agent_keys.h) and the agent's (key_choice.h),
// walked through every state that lost requests, lost answers, repeated requests, crashes between
// any two steps, restored disks, clones and operators can lead them to, with two calls of an agent
// on their way at once. Neither side has a clock, so a host that is off for a month is one that
// takes no step.
#include <array>
#include <deque>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "agent/key_choice.h"
#include "model/agent_keys.h"

namespace muster::agent {
namespace {

using model::AgentKeys;
using model::KeyUse;

/// Keys in this model are their generations; -1 is none.
using Generation = int;
constexpr Generation none = -1;
/// Generations that one walk may reach; every move beyond is cut.
constexpr Generation last_generation = 4;

std::string text_of(Generation generation) {
  return generation == none ? std::string() : std::to_string(generation);
}
Generation generation_of(const std::string& key) {
  return key.empty() ? none : std::stoi(key);
}

/// What an agent keeps: on disk, and in memory while it runs.
struct Held {
  Generation key = 0;
  Generation pending = none;
  auto operator<=>(const Held&) const = default;
};

struct Answer {
  bool accepted = false;
  Generation offer = none;
  auto operator<=>(const Answer&) const = default;
};

enum class Kind { ours, fielded };

/// A call on its way: not served yet, or served and its answer on the way back.
struct OnItsWay {
  Generation used = none;
  std::optional<Answer> answer;
  auto operator<=>(const OnItsWay&) const = default;
};

/// The calls that may be on their way at once. Only heartbeats are answered with an offer.
constexpr std::size_t heartbeat = 0;
constexpr std::size_t other = 1;

struct Copy {
  bool exists = false;
  Held disk;
  Held memory;
  bool prefer_pending = true;
  std::array<std::optional<OnItsWay>, 2> calls;
  auto operator<=>(const Copy&) const = default;

  bool unsaved() const { return disk != memory; }
  void restart() {
    memory = disk;
    prefer_pending = true;
    calls = {};
  }
};

struct World {
  // The server's side; what AgentKeys has, in an order.
  Generation current = 0;
  Generation offered = none;
  Generation former = none;
  bool former_accepted = false;
  bool used = false;

  std::array<Copy, 2> copies;  // the second is a clone of the first
  Generation repeat = none;    // a request that a proxy may send once more, at any time
  Held backup;                 // of the first copy's disk
  auto operator<=>(const World&) const = default;

  AgentKeys keys() const {
    AgentKeys keys;
    keys.current = current;
    if (offered != none) keys.offered = offered;
    if (former != none) keys.former = former;
    keys.former_accepted = former_accepted;
    keys.used = used;
    return keys;
  }
  void set(const AgentKeys& keys) {
    current = static_cast<Generation>(keys.current);
    offered = static_cast<Generation>(keys.offered.value_or(none));
    former = static_cast<Generation>(keys.former.value_or(none));
    former_accepted = keys.former_accepted;
    used = keys.used;
  }
};

/// The server takes a call: durable before it answers, so each is one step.
Answer serve(World& world, Generation generation) {
  const AgentKeys keys = world.keys();
  const KeyUse use = model::use_of(keys, generation);
  if (use == KeyUse::refused) return {};
  if (use == KeyUse::first) world.set(model::after_use(keys, generation));
  return {true, world.offered};
}

class Walk {
 public:
  /// The agents in the field make one call after the other. Where calls are made so, each is taken
  /// for a heartbeat, and served as it begins: what comes late is a repeated request.
  Walk(Kind kind, bool with_clone, bool with_backup, std::size_t calls_at_once = 1)
      : kind_(kind),
        with_clone_(with_clone),
        with_backup_(with_backup),
        calls_at_once_(kind == Kind::ours ? calls_at_once : 1) {}

  /// Every world that can be reached.
  const std::map<World, std::string>& all() {
    World first;
    first.copies[0].exists = true;
    reach(first, "enrolled");
    while (!queue_.empty()) {
      const World world = queue_.front();
      queue_.pop_front();
      from_ = seen_.at(world);
      step(world);
    }
    return seen_;
  }

  /// The key that the copy's next call uses.
  Generation choose(const Copy& copy) const {
    if (kind_ == Kind::fielded) return copy.memory.key;
    return generation_of(key_to_use(identity_of(copy), {copy.prefer_pending}));
  }

  void take(Copy& copy, std::size_t which) const {
    const auto [used, came] = *std::exchange(copy.calls[which], std::nullopt);
    const Answer answer = *came;
    if (kind_ == Kind::fielded) {
      // It swaps at once and forgets the old key (fielded agents, "Rotation handshake").
      if (answer.accepted && answer.offer != none) copy.memory.key = answer.offer;
      return;
    }
    Identity identity = identity_of(copy);
    KeyChoice choice{copy.prefer_pending};
    if (answer.accepted) {
      key_proved(identity, choice, text_of(used));
      if (which == heartbeat) key_offered(identity, choice, text_of(answer.offer));
    } else if (!key_replaced(identity, text_of(used)) &&
               !key_refused(identity, choice, text_of(used))) {
      ++final_refusals_;
    }
    copy.memory = {generation_of(identity.key), generation_of(identity.pending_key)};
    copy.prefer_pending = choice.prefer_pending;
  }

  /// Answers that left the agent without another key to try.
  int final_refusals() const { return final_refusals_; }

  /// Lets the copy call, without faults, until it is accepted; whether that comes soon. What was on
  /// its way is answered before that, in either order.
  bool is_served(const World& world, std::size_t who) const {
    return is_served_after(world, who, {heartbeat, other}) &&
           is_served_after(world, who, {other, heartbeat});
  }

 private:
  bool is_served_after(World world, std::size_t who, std::array<std::size_t, 2> order) const {
    Copy& copy = world.copies[who];
    for (const std::size_t which : order) {
      auto& call = copy.calls[which];
      if (!call) continue;
      if (!call->answer) call->answer = serve(world, call->used);
      take(copy, which);
    }
    for (int calls = 0; calls < 4; ++calls) {
      copy.disk = copy.memory;
      const Generation used = choose(copy);
      copy.calls[heartbeat] = {used, serve(world, used)};
      if (copy.calls[heartbeat]->answer->accepted) return true;
      take(copy, heartbeat);
    }
    return false;
  }

  static Identity identity_of(const Copy& copy) {
    Identity identity;
    identity.key = text_of(copy.memory.key);
    identity.pending_key = text_of(copy.memory.pending);
    return identity;
  }

  void reach(const World& world, const std::string& how) {
    if (world.current > last_generation || world.offered > last_generation) return;
    if (seen_.emplace(world, from_ + " > " + how).second) queue_.push_back(world);
  }

  void step(const World& world) {
    move(world, "rotate", [](World& next) { next.set(model::rotated(next.keys())); });
    move(world, "reissue", [](World& next) { next.set(model::reissued(next.keys())); });
    if (world.repeat != none) {
      move(world, "repeated request", [](World& next) { serve(next, next.repeat); });
    }
    if (with_clone_ && !world.copies[1].exists) {
      move(world, "clone", [](World& next) {
        next.copies[1].exists = true;
        next.copies[1].disk = next.copies[0].disk;
        next.copies[1].restart();
      });
    }
    if (with_backup_) {
      move(world, "backup", [](World& next) { next.backup = next.copies[0].disk; });
      move(world, "restore", [](World& next) {
        next.copies[0].disk = next.backup;
        next.copies[0].restart();
      });
    }
    for (std::size_t who = 0; who < world.copies.size(); ++who) {
      if (world.copies[who].exists) step_of(world, who);
    }
  }

  void step_of(const World& world, std::size_t who) {
    const Copy& copy = world.copies[who];
    move(world, "crash", [&](World& next) { next.copies[who].restart(); });
    if (copy.unsaved()) {
      move(world, "save", [&](World& next) { next.copies[who].disk = next.copies[who].memory; });
    }
    for (std::size_t which = 0; which < calls_at_once_; ++which) {
      const std::string name = which == heartbeat ? "heartbeat" : "other call";
      const auto& call = copy.calls[which];
      if (!call) {
        // What is to be saved is saved before the next call.
        if (copy.unsaved()) continue;
        move(world, name, [&](World& next) {
          next.copies[who].calls[which] = {choose(copy), std::nullopt};
          if (calls_at_once_ == 1) serve_call(next, who, which);
        });
        continue;
      }
      move(world, name + " lost", [&](World& next) { next.copies[who].calls[which].reset(); });
      if (call->answer) {
        move(world, name + " answered", [&](World& next) { take(next.copies[who], which); });
      } else {
        move(world, name + " served", [&](World& next) { serve_call(next, who, which); });
      }
    }
  }

  static void serve_call(World& world, std::size_t who, std::size_t which) {
    OnItsWay& call = *world.copies[who].calls[which];
    world.repeat = call.used;
    call.answer = serve(world, call.used);
  }

  template <typename F>
  void move(const World& world, const std::string& how, F&& change) {
    World next = world;
    change(next);
    reach(next, how);
  }

  Kind kind_;
  bool with_clone_, with_backup_;
  std::size_t calls_at_once_;
  mutable int final_refusals_ = 0;
  std::string from_;
  std::map<World, std::string> seen_;
  std::deque<World> queue_;
};

void count(const char* walk, const std::map<World, std::string>& worlds) {
  std::cout << walk << ": " << worlds.size() << " states\n";
  ::testing::Test::RecordProperty("states", static_cast<int>(worlds.size()));
  ASSERT_GT(worlds.size(), 50U);
}

class KeyRotation : public ::testing::TestWithParam<Kind> {};

TEST_P(KeyRotation, LocksNobodyOut) {
  for (const std::size_t calls_at_once : {1U, 2U}) {
    Walk walk(GetParam(), false, false, calls_at_once);
    const auto& worlds = walk.all();
    count("one agent", worlds);
    EXPECT_EQ(walk.final_refusals(), 0) << "after each refusal it has another key to try";
    for (const auto& [world, how] : worlds) ASSERT_TRUE(walk.is_served(world, 0)) << how;
  }
}

TEST(KeyRotationOfOurs, AKeyIsKeptForGoodOnlyOnceTheServerHasRecordedItsUse) {
  for (const std::size_t calls_at_once : {1U, 2U}) {
    Walk walk(Kind::ours, false, false, calls_at_once);
    for (const auto& [world, how] : walk.all()) {
      ASSERT_LE(world.copies[0].memory.key, world.current) << how;
    }
  }
}

TEST_P(KeyRotation, ACloneNeverLocksOutBoth) {
  Walk walk(GetParam(), true, false);
  const auto& worlds = walk.all();
  count("an agent and its clone", worlds);
  std::size_t locked = 0;
  for (const auto& [world, how] : worlds) {
    const bool first = walk.is_served(world, 0);
    const bool second = !world.copies[1].exists || walk.is_served(world, 1);
    ASSERT_TRUE(first || (world.copies[1].exists && second)) << how;
    locked += first && second ? 0 : 1;
  }
  EXPECT_GT(locked, 0U)
      << "one identity cannot rotate on two machines: that is why clones are split";
}

TEST_P(KeyRotation, ReissueBringsBackAHostWhoseDiskWentBackByOneKey) {
  Walk walk(GetParam(), false, true, 2);
  const auto& worlds = walk.all();
  count("an agent restored from backups", worlds);
  std::size_t locked = 0;
  for (const auto& [world, how] : worlds) {
    if (walk.is_served(world, 0)) continue;
    ++locked;
    World reissued = world;
    reissued.set(model::reissued(reissued.keys()));
    if (world.copies[0].memory.key == world.former) {
      ASSERT_TRUE(walk.is_served(reissued, 0)) << how;
    }
    // Older disks, and lost ones, get the new key by hand.
    reissued.copies[0].disk = {reissued.offered, none};
    reissued.copies[0].restart();
    ASSERT_TRUE(walk.is_served(reissued, 0)) << how;
  }
  EXPECT_GT(locked, 0U);
}

TEST_P(KeyRotation, FirstUseOfANewKeyEndsEveryOlderOne) {
  Walk walk(GetParam(), false, true, 2);
  for (const auto& [world, how] : walk.all()) {
    if (world.offered == none) continue;
    const AgentKeys after = model::after_use(world.keys(), world.offered);
    for (Generation older = 0; older < world.offered; ++older) {
      ASSERT_EQ(model::use_of(after, older), KeyUse::refused) << how;
    }
    ASSERT_EQ(model::use_of(after, world.offered), KeyUse::known) << how;
    ASSERT_EQ(model::after_use(after, world.offered), after) << "a repeat changes nothing";
    ASSERT_EQ(model::rotated(world.keys()), world.keys()) << "the same key is offered again";
  }
}

INSTANTIATE_TEST_SUITE_P(Of, KeyRotation, ::testing::Values(Kind::ours, Kind::fielded),
                         [](const auto& kind) {
                           return kind.param == Kind::ours ? "OurAgent" : "FieldedAgents";
                         });

}  // namespace
}  // namespace muster::agent
