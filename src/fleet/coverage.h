// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "fleet/catalogue.h"
#include "model/os_support.h"
#include "model/package.h"
#include "store/sql/coverage.h"
#include "store/sql/findings.h"
#include "vuln/match.h"

namespace muster::fleet {

class KnownPackages;

/// How many packages have which reason.
using ReasonCounts = std::array<std::int64_t, vuln::reasons_max>;

/// What is known of a host's packages. What depends on the host is decided in it, and what a
/// release past its end leaves unsaid is not assessed.
struct Coverage {
  /// What may be said of the host as a whole. `clean` is said only where nearly everything was
  /// looked at: no finding is no news where nobody looked (mission rule 14).
  enum class State : std::uint8_t { vulnerable, accepted, clean, not_assessed };

  State state = State::not_assessed;
  std::int64_t packages = 0;
  std::int64_t vulnerable = 0;
  std::int64_t not_assessed = 0;
  ReasonCounts reasons = {};

  std::int64_t assessed() const { return packages - not_assessed; }
};
std::string_view coverage_state_name(Coverage::State state);

/// The stored form of what is known of a set's packages, one verdict each.
class CoverageCount {
 public:
  void add(const Verdict& verdict);
  store::SetCoverage take() const;

 private:
  ReasonCounts reasons_ = {};
  std::int64_t distribution_silent_ = 0;
};

/// Pure: of a host whose set has `stored` (nothing: nobody has looked yet).
Coverage coverage_of(const std::optional<store::SetCoverage>& stored, std::int64_t packages,
                     const store::HostFindings& findings, const model::OsSupport& support);

/// Pure: the reason of one package's verdict on a system with that support.
vuln::Reason reason_today(vuln::Reason reason, bool of_distribution,
                          const model::OsSupport& support);

/// Stores what is known of a set with these members.
void assess_set(store::Tx& tx, const Knowledge& knowledge, KnownPackages& packages, OrgId org,
                const crypto::KeyHash& set, const std::vector<PackageId>& members);

}  // namespace muster::fleet
