// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/core.h"
#include "swarm/host.h"

namespace muster::swarm {

/// A host with our own agent on it: the real core (agent/core.h), which decides what is called and
/// when. Around it nothing is real: no disk, no processes, software from the pool, and one call at
/// a time on the wire. About 2 KB.
class OwnAgent final : public Host {
 public:
  OwnAgent(Surroundings& world, std::uint32_t number);

  void start() override;
  void stop() override;
  void wake() override;
  void answered(Result<agent::Answer> answer) override;
  void rebuild() override;
  std::optional<AgentId> agent() const override;

 private:
  class Disk;
  /// A heartbeat that is to go while another call is on the wire: there it is one after the other.
  struct Waiting {
    agent::Call call;
    Micros due{0};
  };
  /// A command that pretends to run.
  struct Run {
    TaskId task;
    Micros until{0};
    Instant started;
  };

  agent::Moment moment() const;
  agent::HostFacts facts() const;
  void enrol(Micros due);
  void enrolled(Result<agent::Answer> answer);
  void boot();
  void feed(const agent::Event& event);
  void take(const agent::Action& action, std::deque<agent::Action>& actions);
  void send(const agent::Send& send);
  void send_now(agent::Purpose purpose, const agent::Call& call, Micros due);
  void save(const agent::Save& save);
  agent::Surveyed survey();
  agent::Executor::Ended end_run();
  Micros ready_since(agent::Purpose purpose) const;
  void spread_reports();
  void rest();

  Surroundings& world_;
  SeededRng rng_;
  Changes changes_;
  Duration skew_{0};
  std::uint32_t number_;
  std::uint32_t boots_ = 0;
  std::uint32_t surveyed_ = 0;                 // revision
  std::optional<std::uint32_t> acknowledged_;  // revision
  std::optional<agent::State> state_;          // nothing before it has enrolled
  std::optional<Run> run_;
  std::optional<agent::Purpose> on_wire_;
  std::unique_ptr<Waiting> waiting_;
  Micros enrolment_due_{0};
  Micros beating_since_{0};
  Micros idle_since_{0};
  bool on_ = false;
  bool enrolling_ = false;
  bool reports_spread_ = false;
  std::vector<std::pair<std::string, std::string>> records_;  // newest last
};

}  // namespace muster::swarm
