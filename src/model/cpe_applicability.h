// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_read.h"
#include "base/json_write.h"
#include "model/version_range.h"

namespace muster::model {

/// Products by their CPE name, and which versions of them where the name does not say it.
struct CpeCriterion {
  std::string cpe;         // 2.3 formatted string, in model/cpe.h's spelling
  bool vulnerable = true;  // false: only a platform of what is vulnerable
  VersionRange range;      // all empty: the name's own version decides
  friend auto operator<=>(const CpeCriterion&, const CpeCriterion&) = default;
};

struct CpeNode {
  bool all = false;     // AND over its criteria, else OR
  bool negate = false;  // of the outcome
  std::vector<CpeCriterion> criteria;
  friend auto operator<=>(const CpeNode&, const CpeNode&) = default;
};

struct CpeConfiguration {
  bool all = false;  // AND over its nodes, else OR
  bool negate = false;
  std::vector<CpeNode> nodes;
  friend auto operator<=>(const CpeConfiguration&, const CpeConfiguration&) = default;
};

/// The configurations of products that have a flaw, any of them: NVD's `configurations`
/// (https://nvd.nist.gov/developers/vulnerabilities, API 2.0).
using CpeApplicability = std::vector<CpeConfiguration>;

/// How many criteria there are in all.
std::size_t criteria_count(const CpeApplicability& configurations);

/// Writes the array that read_cpe_applicability() reads.
void write_cpe_applicability(JsonWriter& json, const CpeApplicability& configurations);
/// Reads member `name`; absent is empty. Failures are recorded in `fields`, also for more than
/// limits::cpe_criteria in all.
CpeApplicability read_cpe_applicability(Fields& fields, std::string_view name);

/// A range as members of the object that is open in `json`; ends that are empty are left out.
void write_range(JsonWriter& json, const VersionRange& range);
VersionRange read_range(Fields& fields);

}  // namespace muster::model
