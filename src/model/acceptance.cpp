// SPDX-License-Identifier: Apache-2.0
#include "model/acceptance.h"

#include <iterator>

namespace muster::model {

namespace {

constexpr std::string_view scopes[] = {"host", "hosts", "image", "images"};

}  // namespace

std::string_view acceptance_scope_name(AcceptanceScope scope) {
  return scopes[static_cast<std::size_t>(scope)];
}

std::optional<AcceptanceScope> parse_acceptance_scope(std::string_view text) {
  for (std::size_t i = 0; i < std::size(scopes); ++i) {
    if (scopes[i] == text) return static_cast<AcceptanceScope>(i);
  }
  return std::nullopt;
}

std::string_view acceptance_end_name(AcceptanceEnd end) {
  static constexpr std::string_view names[] = {"reopened", "expired", "became_exploited",
                                               "severity_rose"};
  return names[static_cast<std::size_t>(end)];
}

Severity accepted_severity(const Acceptance& acceptance) {
  return acceptance.severity == Severity::unknown ? Severity::medium : acceptance.severity;
}

std::optional<AcceptanceEnd> end_of(const Acceptance& acceptance, Severity severity,
                                    bool known_exploited, Instant now) {
  if (acceptance.ends_at && *acceptance.ends_at <= now) return AcceptanceEnd::expired;
  if (known_exploited && !acceptance.known_exploited) return AcceptanceEnd::became_exploited;
  if (severity > accepted_severity(acceptance)) return AcceptanceEnd::severity_rose;
  return std::nullopt;
}

}  // namespace muster::model
