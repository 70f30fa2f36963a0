// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

#include "feeds/feed.h"

namespace muster::feeds {

/// NIST's National Vulnerability Database, API and yearly files of version 2.0
/// (https://nvd.nist.gov/developers/vulnerabilities): objects with `vulnerabilities[].cve`, and one
/// `{"cve": …}` or one bare cve object each, one after another in any mix: a page, a year, JSON
/// lines, or several files joined.
///
/// One advisory a CVE that names products, with all its configurations; `package` and `ranges` stay
/// empty. Severity and score are those of the newest CVSS there is (4.0, 3.1, 3.0, 2.0), of its
/// Primary source before any other. A CVE with the tag "disputed" is kept and marked; one that was
/// rejected, or that no analyst has given a product yet, says nothing and is counted as silent.
///
/// Bounds lose their CPE escapes; a bound of "-" or "*" is none. Criteria that are no CPE name are
/// skipped, counted and named, and with them a configuration that would mean something else without
/// them. A record that is no CVE is skipped likewise. Fails with invalid_json for text that is not
/// JSON and with invalid_field when nothing in it is a CVE.
Result<FeedSummary> parse_nvd(std::string_view text,
                              const std::function<void(model::Advisory&&)>& take,
                              const WantRecord& wants = {});

}  // namespace muster::feeds
