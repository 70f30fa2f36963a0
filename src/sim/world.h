// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/audit_chain.h"
#include "sim/device.h"
#include "sim/fielded_agent.h"
#include "sim/ledger.h"
#include "sim/operator_desk.h"
#include "sim/own_agent.h"
#include "sim/plant.h"
#include "sim/server.h"
#include "sim/site_host.h"
#include "sim/steps.h"
#include "sim/trace.h"
#include "sim/wire.h"

namespace muster::sim {

/// How large a world is and what may happen in it.
struct Scenario {
  std::size_t own_agents = 0;
  std::size_t fielded_agents = 0;
  std::size_t site_hosts = 0;
  Duration storm = std::chrono::hours(3);  // while everything goes wrong
  Duration calm = std::chrono::hours(2);   // afterwards, until all must be at rest
  Weather weather;
  bool ends = true;                          // the server crashes and restarts
  bool faults = true;                        // its disk fails
  Duration rotate_keys_after = Duration(0);  // 0 is never
  Plant plant = Plant::none;
};
/// A small world whose size and weather follow from the seed.
Scenario scenario_of(std::uint64_t seed);

/// A server, its network and the hosts around it, in one thread and from one seed: the same seed
/// is the same world, to the last byte.
class World {
 public:
  World(std::uint64_t seed, const Scenario& scenario);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Lives through storm and calm, then holds every claim against the store. Stops early at a
  /// breach.
  void run();

  /// Prints every event that names `word` while it runs.
  void print_about(std::string word) { trace_.print_about(std::move(word)); }

  const Ledger& ledger() const { return ledger_; }
  const Trace& trace() const { return trace_; }
  std::size_t commits() const { return server_.commits(); }
  int lives() const { return server_.life(); }

 private:
  void begin();
  void issue_keys();
  void plan_ends();
  void plan_faults();
  void tamper_during();
  void forget_expiries();
  void skip_approvals();
  void tamper_at_rest();
  void run_until(Instant until);
  agent::Answer ask_now(agent::Call call);
  std::vector<AgentId> enrolled() const;
  void check_after_start();
  void check_at_rest();
  void check_nobody_is_locked_out();
  void check_software();

  Scenario scenario_;
  SeededRng rng_;
  Steps steps_;
  Trace trace_;
  Ledger ledger_;
  Server server_;
  Wire wire_;
  Surroundings surroundings_;
  std::vector<std::unique_ptr<OwnAgent>> own_;
  std::vector<std::unique_ptr<FieldedAgent>> fielded_;
  std::vector<std::unique_ptr<SiteHost>> sites_;
  std::vector<std::string> one_use_tokens_;  // one for each of fielded_
  OperatorDesk desk_;
  std::map<AgentId, Instant> stored_last_seen_;
  std::vector<model::AuditHead> audit_heads_;
};

}  // namespace muster::sim
