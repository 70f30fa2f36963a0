// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace muster::agent {

/// Reads the date form that servers must send (RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT").
std::optional<Instant> parse_http_date(std::string_view text);

/// How long a Retry-After (RFC 9110 §10.2.3: seconds or a date) asks to wait from `now`, at most
/// bounds::retry_after_max. Nothing if it is absent or unreadable.
std::optional<Duration> parse_retry_after(std::string_view text, Instant now);

}  // namespace muster::agent
