// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_read.h"
#include "base/result.h"
#include "model/image.h"
#include "model/package.h"

namespace muster::ctl {

/// The software of one host or image, as a file tells it.
struct ScanInput {
  std::string os_name;  // empty: not told
  std::string os_version;
  std::vector<model::Package> packages;
  std::vector<model::ImageScan> images;  // as their scanner told; none in an inventory report
  bool judged = false;                   // a scanner said what is vulnerable in them
};

/// Reads an inventory report (the body that agents send, full), a CycloneDX SBOM (1.2 and later),
/// an SPDX SBOM (2.x), or a report of Trivy, all as JSON. A report that lists no packages has those
/// that it finds vulnerable. Components that have no name, and files, are left out. Fails with
/// invalid_json, or with invalid_field for JSON that is none of these.
Result<ScanInput> read_scan_input(std::string_view text);

/// Reads one package: name, version, vendor, cpe, ecosystem, distro, source_name, source_version,
/// arch, all but the name optional. A distribution's package that does not say its ecosystem has
/// that of its distro. Fails with missing_field or invalid_field.
Result<model::Package> read_scan_package(const Json& object);

}  // namespace muster::ctl
