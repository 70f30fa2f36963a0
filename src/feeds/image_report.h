// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/image.h"

namespace muster::feeds {

/// Reads what a scanner says of images: a report of Trivy (trivy.h) or a bill of materials
/// (sbom.h). Fails as they do.
Result<std::vector<model::ImageScan>> read_image_report(std::string_view text);

}  // namespace muster::feeds
