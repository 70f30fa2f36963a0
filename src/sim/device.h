// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "model/package.h"
#include "sim/steps.h"
#include "sim/wire.h"

namespace muster::sim {

/// What the hosts of a world share.
struct Surroundings {
  Steps& steps;
  Wire& wire;
  Ledger& ledger;
  Trace& trace;
  Plant plant = Plant::none;
  std::string enrolment_token;
  std::string inventory_key;
  /// After this moment hosts change no more: no new software, no crash, no new set-up.
  Instant calm_from{};
  bool calm() const { return steps.now() >= calm_from; }
};

/// The software of a simulated host: a few dozen names, some of which feeds speak about, in
/// versions that come and go.
class Software {
 public:
  explicit Software(SeededRng& rng);

  /// Installs, removes or upgrades one package.
  void mutate(SeededRng& rng);
  const std::vector<model::Package>& packages() const { return packages_; }
  /// "name version arch", sorted: what the store must have.
  std::vector<std::string> lines() const;

 private:
  static model::Package package(std::size_t number, std::size_t version, const char* arch);
  std::vector<model::Package> packages_;
};

/// A feed in the publisher's format about some of those packages.
std::string debian_feed(SeededRng& rng);
std::string kev_feed(SeededRng& rng);

}  // namespace muster::sim
