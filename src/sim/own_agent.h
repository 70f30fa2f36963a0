// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "agent/core.h"
#include "agent/testing/world.h"
#include "sim/device.h"

namespace muster::sim {

/// A host with our own agent on it: the real core (agent/core.h) on files that outlive its crashes,
/// behind the simulated wire, with a clock that is wrong.
class OwnAgent {
 public:
  OwnAgent(Surroundings& world, std::string name, std::uint64_t seed);
  OwnAgent(const OwnAgent&) = delete;
  OwnAgent& operator=(const OwnAgent&) = delete;

  /// Switches the host on.
  void start() { boot(); }
  /// Who it is now; nothing until it has enrolled.
  std::optional<AgentId> id() const;
  const std::string& name() const { return name_; }
  /// The key it will use next.
  const std::string& key() const {
    const agent::Identity& identity = state_->identity;
    return identity.pending_key.empty() ? identity.key : identity.pending_key;
  }
  const Software& software() const { return software_; }

 private:
  void boot();
  void enrol();
  void begin_process();
  void crash();
  void set_up_anew();
  void live();

  void feed(const agent::Event& event);
  void take(const agent::Action& action);
  void run(const agent::Command& command);
  void rest();
  void write(const std::string& file, const std::string& content);
  agent::Moment moment() const;
  template <typename F>
  UniqueFunction<void()> mine(F step);

  Surroundings& world_;
  std::string name_;
  SeededRng rng_;
  Duration clock_error_{0};
  agent::HostFacts facts_;
  agent::testing::FakeFiles files_;
  Software software_;
  std::optional<agent::State> state_;  // of the running process
  std::deque<agent::Action> actions_;
  std::optional<TaskId> running_;
  std::vector<TaskId> unreported_;  // ran since the host was set up
  int process_ = 0;
  int wake_ = 0;
  int boots_ = 0;
};

}  // namespace muster::sim
