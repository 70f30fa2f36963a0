// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "sim/device.h"

namespace muster::sim {

/// A host of a site with an inventory key and no enrolled agent: reports its software in full, then
/// what changed, and in full again whenever it cannot know what the server has.
class SiteHost {
 public:
  /// One that `names_hashes` says which set its reports are of, as our own agent does; another is
  /// as those in the field.
  SiteHost(Surroundings& world, std::string name, std::uint64_t seed, bool names_hashes);
  SiteHost(const SiteHost&) = delete;
  SiteHost& operator=(const SiteHost&) = delete;

  void start();
  const std::string& name() const { return name_; }
  const Software& software() const { return software_; }

 private:
  void live();
  void report();
  void beat();
  std::string body(bool full) const;

  Surroundings& world_;
  std::string name_;
  SeededRng rng_;
  Software software_;
  std::vector<model::Package> acknowledged_;
  std::vector<model::Package> sent_;
  bool names_hashes_;
  bool full_wanted_ = true;
  bool reporting_ = false;
};

}  // namespace muster::sim
