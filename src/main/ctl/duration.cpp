// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/duration.h"

#include <cstdint>

#include "base/text.h"

namespace muster::ctl {

namespace {

constexpr std::int64_t seconds_max = std::int64_t{100} * 365 * 86400;

std::int64_t seconds_of(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return 7 * 86400;
    default:
      return 0;
  }
}

}  // namespace

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  const std::int64_t unit = text.empty() ? 0 : seconds_of(text.back());
  const auto count = unit == 0 ? std::nullopt : parse_int(text.substr(0, text.size() - 1));
  if (!count || *count < 0) {
    return Error{Errc::invalid_field, "must be a number and a unit, as 90s, 30m, 24h, 7d or 2w"};
  }
  if (*count > seconds_max / unit) {
    return Error{Errc::invalid_field, "must be at most 100 years"};
  }
  return std::chrono::seconds(*count * unit);
}

}  // namespace muster::ctl
