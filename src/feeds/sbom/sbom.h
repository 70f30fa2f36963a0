// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/image.h"

namespace muster::feeds {

/// Whether a text looks like a bill of materials that read_sbom() reads.
bool is_sbom(std::string_view text);

/// Reads a bill of materials as JSON: CycloneDX 1.2 and later
/// (https://cyclonedx.org/specification/) or SPDX 2.x (https://spdx.github.io/spdx-spec/v2.3/). It
/// is one scan, named by its subject, that lists packages: also those that nothing but a CPE
/// identifies. Packages of a system are of the system that the bill names, where their package URL
/// does not say it. Files, components without a name and applications without a version are left
/// out. What a CycloneDX bill says is vulnerable, as Trivy's do when asked, makes it a judgement;
/// else the scan has none. Components are parsed one after another. Fails with invalid_json, and
/// with invalid_field for JSON that is none.
Result<model::ImageScan> read_sbom(std::string_view text);

}  // namespace muster::feeds
