// SPDX-License-Identifier: Apache-2.0
#include "agent/http_date.h"

#include <algorithm>
#include <array>
#include <string>

#include "agent/bounds.h"
#include "base/text.h"

namespace muster::agent {

std::optional<Instant> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> months = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  text = trim(text);
  constexpr std::string_view shape = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != shape.size() || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  if (month == months.end()) return std::nullopt;
  const auto number = static_cast<int>(month - months.begin()) + 1;
  // Put in RFC 3339 order, so that one reader checks every digit and range.
  std::string rfc3339(text.substr(12, 4));
  rfc3339 += number < 10 ? "-0" : "-";
  rfc3339 += std::to_string(number) + "-";
  rfc3339 += text.substr(5, 2);
  rfc3339 += "T" + std::string(text.substr(17, 8)) + "Z";
  const auto at = parse_rfc3339(rfc3339);
  if (!at) return std::nullopt;
  return at.value();
}

std::optional<Duration> parse_retry_after(std::string_view text, Instant now) {
  text = trim(text);
  Duration wait{0};
  if (const auto seconds = parse_int(text)) {
    constexpr std::int64_t most =
        std::chrono::duration_cast<std::chrono::seconds>(bounds::retry_after_max).count();
    wait = std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 0, most));
  } else if (const auto at = parse_http_date(text)) {
    wait = std::clamp(*at - now, Duration(0), bounds::retry_after_max);
  } else {
    return std::nullopt;
  }
  return wait;
}

}  // namespace muster::agent
