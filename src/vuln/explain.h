// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_read.h"
#include "model/package.h"
#include "vuln/index.h"
#include "vuln/match.h"
#include "vuln/surroundings.h"

namespace muster::vuln {

/// The comparison behind a finding, made again: from what the package is to whether its host is
/// asked for.
struct Explanation {
  struct Step {
    std::string_view name;  // identity, advisory, range, scheme, versions, platform
    bool holds = false;
    std::string text;
  };
  bool holds = false;                   // the advisory, as it is now, holds for the package
  Reason reason = Reason::no_identity;  // of the verdict on the package as it is now
  std::vector<Step> steps;
  std::optional<Evidence> current;  // what is compared now; nothing if the advisory does not hold
};

/// Replays `stored`, the evidence of a finding on `package`, with the advisory as `index` has it.
/// Where the index does not hold it any more, the stored range is compared. Pure.
Explanation explain(const Index& index, const model::Package& package, const Evidence& stored,
                    const Surroundings& surroundings);

/// Reads encode_evidence()'s form; members that are not there stay empty.
Evidence decode_evidence(const Json& object);

}  // namespace muster::vuln
