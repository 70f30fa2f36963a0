// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

#include "feeds/feed.h"

namespace muster::feeds {

/// Records of the Open Source Vulnerability format, https://ossf.github.io/osv-schema/: one JSON
/// object each, one after another in any mix of lines, arrays and joined files, or the `all.zip` of
/// an ecosystem (feeds/decompress.h takes it apart).
///
/// One advisory for each package that a record names, with the union of its ranges of type SEMVER
/// and ECOSYSTEM; events are sorted first, as the schema asks. A version of `versions` that no
/// range holds is a range of its own. Ranges of commits say nothing. What the ecosystem is called
/// here is in osv/ecosystem.h: names of packages are folded as their registry folds them.
///
/// A distribution's bulletin ("ALSA-2025:10073") fixes several flaws, and one of Go's records may
/// be about several: those CVEs are Advisory::flaws, and no aliases of one another. Where a release
/// of Ubuntu has no fix, that of Ubuntu Pro for it is one. Severity is that of the CVSS 3 vector,
/// else the publisher's word (Ubuntu's priority, GitHub's database_specific, the summary's first
/// word).
///
/// Withdrawn records, and those of ecosystems that no package here has, are counted as silent. A
/// package whose ranges make no sense is skipped, counted and named. Fails with invalid_json for
/// text that is not JSON and with invalid_field when nothing in it is a record.
Result<FeedSummary> parse_osv(std::string_view text,
                              const std::function<void(model::Advisory&&)>& take,
                              const WantRecord& wants = {});

}  // namespace muster::feeds
