// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/json_read.h"
#include "base/result.h"
#include "model/version_range.h"
#include "version/scheme.h"

namespace muster::feeds {

/// The versions that one `affected` object of an OSV record names, in the order of `scheme`:
/// its ranges, and one range for each listed version that they do not hold. Where an event is no
/// version or a range has no beginning, the listed versions tell; fails with invalid_field naming
/// the member if none is listed.
Result<std::vector<model::VersionRange>> read_osv_ranges(const Json& affected,
                                                         version::Scheme scheme);

}  // namespace muster::feeds
