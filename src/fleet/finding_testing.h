// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "fleet/findings.h"
#include "fleet/testing.h"

namespace muster::fleet {

/// A debian feed with one advisory, fixed in `fixed` ("" if there is no fix), about each package.
inline std::string feed(const std::map<std::string, std::string>& fixed_versions) {
  std::string json;
  for (const auto& [name, fixed] : fixed_versions) {
    const std::string state = fixed.empty()
                                  ? R"("status": "open")"
                                  : R"("status": "resolved", "fixed_version": ")" + fixed + "\"";
    json += (json.empty() ? "{\"" : ", \"") + name +
            R"(": {"CVE-2099-0001": {"description": "d",)" +
            R"( "scope": "remote", "releases": {"bookworm": {)" + state +
            R"(, "repositories": {"bookworm": "1"}, "urgency": "high"}}}})";
  }
  return json + "}";
}

inline std::vector<FindingView> findings(TestFleet& fleet, bool open_only = true) {
  FindingQuery query;
  query.open_only = open_only;
  query.count = 1000;
  return list_finding_page(fleet->store, fleet->catalogue, query).value().findings;
}

/// Everything about the findings that does not depend on when they were made.
inline std::set<std::string> described(TestFleet& fleet) {
  std::set<std::string> out;
  for (const FindingView& view : findings(fleet, false)) {
    const model::Finding& finding = view.stored.finding;
    out.insert(view.stored.hostname + " " + view.stored.package.name + " " +
               view.stored.package.version + " " + finding.advisory_id + " " +
               (finding.open ? "open " : "resolved ") + finding.evidence);
  }
  return out;
}

}  // namespace muster::fleet
