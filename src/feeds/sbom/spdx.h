// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "feeds/json_members.h"
#include "model/image.h"

namespace muster::feeds {

/// As read_sbom(), for an object that has an spdxVersion.
Result<model::ImageScan> read_spdx(const OpenObject& bill);

}  // namespace muster::feeds
