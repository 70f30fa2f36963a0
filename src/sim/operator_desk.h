// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sim/device.h"

namespace muster::sim {

/// The operators: they give work, approve it in some worlds, take it back, switch agents off and
/// on, import feeds, and look.
class OperatorDesk {
 public:
  OperatorDesk(Surroundings& world, std::uint64_t seed);
  OperatorDesk(const OperatorDesk&) = delete;
  OperatorDesk& operator=(const OperatorDesk&) = delete;

  /// Begins; `agents` gives those that are enrolled at the time of asking.
  void start(std::string token, std::function<std::vector<AgentId>()> agents);
  /// Switches every agent on again and asks until it is so.
  void make_peace();

 private:
  void work();
  void upload_program();
  std::string some_order(AgentId agent);
  void create_task();
  void cancel_task();
  void disable();
  void rotate();
  void enable(AgentId agent);
  void issue();
  void import();
  void want_full_report();
  void want_approval();
  void appoint_second();
  void decide();
  void look();
  agent::Call call(http::Method method, std::string target, std::string body = "{}") const;
  std::optional<AgentId> some_agent();

  Surroundings& world_;
  SeededRng rng_;
  std::string token_;
  std::function<std::vector<AgentId>()> agents_;
  bool has_program_ = false;  // tests can be ordered
  std::vector<std::string> tasks_;
  std::vector<std::string> issued_;  // paths of tokens and keys that may be revoked
  std::set<AgentId> disabled_;
  bool approves_;                     // in this world risky work needs a second person
  std::string second_token_;          // of that person; empty until it is appointed
  int appointments_ = 0;              // that were asked for
  std::vector<std::string> waiting_;  // a task of each call whose tasks wait for approval
};

}  // namespace muster::sim
