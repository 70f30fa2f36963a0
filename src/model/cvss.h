// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/advisory.h"

namespace muster::model {

/// The base score, times ten, of a CVSS 3.0 or 3.1 vector ("CVSS:3.1/AV:N/AC:L/…"; metrics in any
/// order, others than the base group are passed over):
/// https://www.first.org/cvss/v3.1/specification-document, section 7. Nothing for a vector of
/// another version, or one whose base metrics are not all there.
std::optional<std::uint8_t> cvss3_base_tenths(std::string_view vector);

/// The word for a score of CVSS 3 and 4: none (negligible), low, medium, high, critical.
Severity severity_of_cvss(std::uint8_t tenths);

}  // namespace muster::model
