// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/advisory.h"

namespace muster::model {

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
  bool open = true;
  Instant opened_at;
  std::optional<Instant> resolved_at;
  std::string resolution;  // why it was resolved: "package_removed", "not_affected"
  std::string evidence;    // JSON object: aliases, fixed_version, urgency, summary, evidence
};

}  // namespace muster::model
