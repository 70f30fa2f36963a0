// SPDX-License-Identifier: Apache-2.0
#include "fleet/finding_cursor.h"

#include "fleet/cursor.h"

namespace muster::fleet {

std::string format_finding_place(const store::FindingPlace& place) {
  return std::to_string(place.known_exploited ? 1 : 0) + ":" + std::to_string(place.severity) +
         ":" + std::to_string(place.id.value);
}

Result<store::FindingPlace> parse_finding_place(std::string_view cursor) {
  const CursorParts all = TRY(split_cursor(cursor, ':'));
  const CursorParts rest = TRY(split_cursor(all.rest, ':'));
  const std::int64_t known_exploited = TRY(parse_cursor_number(all.first));
  const std::int64_t severity = TRY(parse_cursor_number(rest.first));
  const FindingId id{TRY(parse_cursor_number(rest.rest))};
  return store::FindingPlace{known_exploited != 0, severity, id};
}

}  // namespace muster::fleet
