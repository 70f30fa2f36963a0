// SPDX-License-Identifier: Apache-2.0
#include "model/finding.h"

#include <iterator>

namespace muster::model {

namespace {

constexpr std::string_view statuses[] = {"open", "accepted", "resolved"};

}  // namespace

std::string_view finding_status_name(FindingStatus status) {
  return statuses[static_cast<std::size_t>(status)];
}

std::optional<FindingStatus> parse_finding_status(std::string_view text) {
  for (std::size_t i = 0; i < std::size(statuses); ++i) {
    if (statuses[i] == text) return static_cast<FindingStatus>(i);
  }
  return std::nullopt;
}

}  // namespace muster::model
