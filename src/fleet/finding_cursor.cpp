// SPDX-License-Identifier: Apache-2.0
#include "fleet/finding_cursor.h"

#include "base/text.h"

namespace muster::fleet {

std::string format_finding_place(const store::FindingPlace& place) {
  return std::to_string(place.known_exploited ? 1 : 0) + ":" + std::to_string(place.severity) +
         ":" + std::to_string(place.id.value);
}

Result<store::FindingPlace> parse_finding_place(std::string_view cursor) {
  const auto first = cursor.find(':');
  const auto second = cursor.find(':', first == std::string_view::npos ? first : first + 1);
  if (second != std::string_view::npos) {
    const auto known_exploited = parse_int(cursor.substr(0, first));
    const auto severity = parse_int(cursor.substr(first + 1, second - first - 1));
    const auto id = parse_int(cursor.substr(second + 1));
    if (known_exploited && severity && id) {
      return store::FindingPlace{*known_exploited != 0, *severity, FindingId{*id}};
    }
  }
  return invalid_field("cursor", "is not a cursor of this list");
}

}  // namespace muster::fleet
