// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "agent/software_set.h"
#include "swarm/host.h"

namespace muster::swarm {

/// A host of a site with an inventory key and no agent of ours (inventory-endpoints.txt):
/// heartbeats, a full report once a day and whenever it cannot know what the server has, deltas
/// between them.
class SiteHost final : public Host {
 public:
  /// `key` outlives the host.
  SiteHost(Surroundings& world, std::uint32_t number, const std::string& key);

  void start() override;
  void stop() override { on_ = false; }
  void wake() override;
  void answered(Result<agent::Answer> answer) override;

 private:
  void call_what_is_due();
  void beat();
  /// False when there is nothing to report.
  bool report();
  void forget();
  void reported(const Result<agent::Answer>& answer);
  agent::SoftwareSet software(std::uint32_t revision) const;
  void send(Kind kind, std::string body, Micros due);

  Surroundings& world_;
  SeededRng rng_;
  Changes changes_;
  const std::string& key_;
  std::uint32_t number_;
  std::uint32_t reporting_ = 0;                // revision
  std::optional<std::uint32_t> acknowledged_;  // revision
  std::optional<Kind> awaited_;
  Micros beat_due_{0};
  Micros report_due_{0};
  Micros full_due_{0};
  bool on_ = false;
  bool known_ = false;  // to the server, by a report
};

}  // namespace muster::swarm
