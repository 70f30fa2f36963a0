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

/// How far an operator's acceptance reaches: one host or image, or all that the organisation has
/// and will have.
enum class AcceptanceScope : std::uint8_t { host, hosts, image, images };
std::string_view acceptance_scope_name(AcceptanceScope scope);
std::optional<AcceptanceScope> parse_acceptance_scope(std::string_view text);

/// An operator knows of a flaw of a package and lives with it. It holds for every version of the
/// package that has the flaw: an update that leaves the flaw in is no news.
struct Acceptance {
  OrgId org;
  AcceptanceId id;
  AcceptanceScope scope = AcceptanceScope::host;
  std::string subject;  // the host's id or the image's identity; empty for all of them
  std::string package;
  std::string flaw;                       // the CVE, or else the advisory's id
  Severity severity = Severity::unknown;  // when it was accepted
  bool known_exploited = false;           // when it was accepted
  std::string reason;
  std::string accepted_by;
  Instant accepted_at;
  std::optional<Instant> ends_at;  // none: for good
};

/// Why an acceptance ended.
enum class AcceptanceEnd : std::uint8_t { reopened, expired, became_exploited, severity_rose };
std::string_view acceptance_end_name(AcceptanceEnd end);

/// The gravest that a flaw may be for `acceptance` to hold. A flaw that nobody had rated may have
/// been anything: it is taken as medium, so that a rating up to that is no news.
Severity accepted_severity(const Acceptance& acceptance);

/// Why `acceptance` is no longer what the operator agreed to, for a flaw that is now of `severity`
/// and exploited or not; nothing while it holds. What was known to be exploited when it was
/// accepted may stay so.
std::optional<AcceptanceEnd> end_of(const Acceptance& acceptance, Severity severity,
                                    bool known_exploited, Instant now);

}  // namespace muster::model
