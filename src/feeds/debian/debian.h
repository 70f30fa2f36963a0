// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

#include "feeds/feed.h"

namespace muster::feeds {

/// Debian's security tracker, https://security-tracker.debian.org/tracker/data/json:
/// {source package: {id: {description, debianbug, scope, releases: {codename: {status,
/// fixed_version, urgency, nodsa, nodsa_reason, repositories}}}}}. One advisory a release row:
///
///     status         fixed_version   advisory
///     resolved       a version       affected below that version of the source package
///     resolved       "0"             not_affected: the release never had the flaw
///     open           (none)          affected, open range: no fix is known
///     undetermined   (none)          undetermined
///
/// `not-affected`, which older exports write, is read as not_affected. The distribution is the
/// canonical form of the codename ("debian:12"), the id the tracker's (CVE-… or TEMP-…).
///
/// Severity is Debian's triage and no CVSS: urgency high, medium, low keep their name,
/// "unimportant" is negligible, anything else unknown; `nodsa` (no advisory of its own is planned)
/// makes an unknown severity low. The publisher's words stay in Advisory::urgency: "not yet
/// assigned; no-dsa: Minor issue".
///
/// Fails as parse_feed says when the file is not of that shape. A single row that makes no sense
/// (unknown status, resolved without a version) is skipped, counted and named; if no row at all
/// could be read, that is a failure.
Result<FeedSummary> parse_debian(std::string_view text,
                                 const std::function<void(model::Advisory&&)>& take);

}  // namespace muster::feeds
