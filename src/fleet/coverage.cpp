// SPDX-License-Identifier: Apache-2.0
#include "fleet/coverage.h"

#include <algorithm>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "fleet/known_packages.h"
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using vuln::Reason;

std::size_t index_of(Reason reason) {
  return static_cast<std::size_t>(reason);
}

void move(ReasonCounts& counts, Reason from, Reason to, std::int64_t count) {
  counts[index_of(from)] -= count;
  counts[index_of(to)] += count;
}

ReasonCounts decode_reasons(std::string_view json) {
  ReasonCounts counts = {};
  JsonDocument document;
  const Result<Json> object = document.parse(json);
  CHECK(object.ok());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto count = object->find(vuln::reason_name(static_cast<Reason>(i)));
    if (count) counts[i] = count->integer().value_or(0);
  }
  return counts;
}

/// With findings that are not open, and how much of the host was looked at.
Coverage::State state_of(const Coverage& coverage, const store::HostFindings& findings) {
  if (findings.open > 0) return Coverage::State::vulnerable;
  const bool unseen = coverage.packages == 0 ||
                      coverage.not_assessed * 100 > coverage.packages * limits::unseen_percent;
  if (unseen) return Coverage::State::not_assessed;
  return findings.accepted > 0 ? Coverage::State::accepted : Coverage::State::clean;
}

}  // namespace

std::string_view coverage_state_name(Coverage::State state) {
  static constexpr std::string_view names[] = {"vulnerable", "accepted", "clean", "not_assessed"};
  return names[static_cast<std::size_t>(state)];
}

void CoverageCount::add(const Verdict& verdict) {
  ++reasons_[index_of(verdict.reason)];
  if (verdict.of_distribution && verdict.reason == Reason::no_advisory) ++distribution_silent_;
}

store::SetCoverage CoverageCount::take() const {
  store::SetCoverage stored;
  stored.distribution_silent = distribution_silent_;
  JsonWriter json;
  json.begin_object();
  for (std::size_t i = 0; i < reasons_.size(); ++i) {
    if (reasons_[i] == 0) continue;
    const auto reason = static_cast<Reason>(i);
    json.member(vuln::reason_name(reason), reasons_[i]);
    // What depends on the host is decided for each.
    const bool unseen = vuln::state_of(reason) == vuln::State::not_assessed;
    if (unseen && reason != Reason::depends_on_host) stored.not_assessed += reasons_[i];
  }
  json.end_object();
  stored.reasons = json.take();
  return stored;
}

Coverage coverage_of(const std::optional<store::SetCoverage>& stored, std::int64_t packages,
                     const store::HostFindings& findings, const model::OsSupport& support) {
  Coverage coverage;
  coverage.packages = packages;
  coverage.vulnerable = findings.packages;
  if (!stored) {
    coverage.not_assessed = packages;
    coverage.state = state_of(coverage, findings);
    return coverage;
  }
  ReasonCounts& reasons = coverage.reasons;
  reasons = decode_reasons(stored->reasons);
  const std::int64_t open_to_host = reasons[index_of(Reason::depends_on_host)];
  const std::int64_t decided = std::clamp<std::int64_t>(
      findings.packages - reasons[index_of(Reason::in_range)], 0, open_to_host);
  move(reasons, Reason::depends_on_host, Reason::in_range, decided);
  move(reasons, Reason::depends_on_host, Reason::platform_absent, open_to_host - decided);
  if (!support.advised) {
    move(reasons, Reason::no_advisory, Reason::distro_end_of_life, stored->distribution_silent);
  }
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (vuln::state_of(static_cast<Reason>(i)) == vuln::State::not_assessed) {
      coverage.not_assessed += reasons[i];
    }
  }
  coverage.state = state_of(coverage, findings);
  return coverage;
}

vuln::Reason reason_today(vuln::Reason reason, bool of_distribution,
                          const model::OsSupport& support) {
  const bool silent = reason == Reason::no_advisory && of_distribution && !support.advised;
  return silent ? Reason::distro_end_of_life : reason;
}

void assess_set(store::Tx& tx, const Knowledge& knowledge, KnownPackages& packages, OrgId org,
                const crypto::KeyHash& set, const std::vector<PackageId>& members) {
  CoverageCount count;
  for (const PackageId id : members) count.add(packages.verdict(tx, knowledge, org, id));
  store::set_set_coverage(tx, org, set, count.take());
}

}  // namespace muster::fleet
