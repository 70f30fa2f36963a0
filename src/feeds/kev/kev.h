// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/advisory.h"

namespace muster::feeds {

struct KevCatalogue {
  std::string catalog_version;  // "2025.08.25"
  std::string date_released;    // "2025-08-25T17:04:19.9796Z"
  std::vector<model::KevEntry> entries;
};

/// CISA's Known Exploited Vulnerabilities catalogue in JSON,
/// https://www.cisa.gov/known-exploited-vulnerabilities-catalog. `cwes` is absent in older editions
/// and not used. Fails with invalid_json, or with missing_field or invalid_field naming the member
/// (`vulnerabilities[3].cveID`): the whole catalogue replaces the last one, so a half-read one must
/// not pass. A `count` that differs from the number of entries is such a failure.
Result<KevCatalogue> parse_kev(std::string_view text);

}  // namespace muster::feeds
