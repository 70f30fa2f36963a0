// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "model/advisory.h"

namespace muster::model {

/// `accepted`: it holds, and an operator lives with it (model/acceptance.h).
enum class FindingStatus : std::uint8_t { open, accepted, resolved };
std::string_view finding_status_name(FindingStatus status);
std::optional<FindingStatus> parse_finding_status(std::string_view text);

/// One advisory that holds for one package of one host, with what was compared.
struct Finding {
  OrgId org;
  FindingId id;
  HostId host;
  PackageId package;
  std::string feed;
  std::string advisory_id;
  std::optional<std::string> cve;
  Severity severity = Severity::unknown;
  bool known_exploited = false;
  FindingStatus status = FindingStatus::open;
  std::optional<AcceptanceId> acceptance;  // that it is accepted by
  Instant opened_at;
  std::optional<Instant> resolved_at;
  std::string resolution;  // why it was resolved: "package_removed", "not_affected"
  std::string evidence;    // JSON object: aliases, fixed_version, urgency, summary, evidence

  /// What names the flaw for operators: the CVE, or else the advisory.
  const std::string& flaw() const { return cve ? *cve : advisory_id; }
};

}  // namespace muster::model
