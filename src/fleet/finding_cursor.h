// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/sql/findings.h"

namespace muster::fleet {

/// A cursor of a list of findings, of hosts or of an image: the place of a page's last one, as
/// "1:4:123" (exploited, severity, id).
std::string format_finding_place(const store::FindingPlace& place);
/// Fails with invalid_field.
Result<store::FindingPlace> parse_finding_place(std::string_view cursor);

}  // namespace muster::fleet
