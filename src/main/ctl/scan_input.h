// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_read.h"
#include "base/result.h"
#include "model/package.h"

namespace muster::ctl {

/// The software of one host or image, as a file tells it.
struct ScanInput {
  std::string os_name;  // empty: not told
  std::string os_version;
  std::vector<model::Package> packages;
};

/// Reads an inventory report (the body that agents send, full), a CycloneDX SBOM (1.2 and later) or
/// an SPDX SBOM (2.x), all as JSON. Components that have no name, and files, are left out. Fails
/// with invalid_json, or with invalid_field for JSON that is none of these.
Result<ScanInput> read_scan_input(std::string_view text);

/// Reads one package: name, version, vendor, cpe, ecosystem, distro, source_name, source_version,
/// arch, all but the name optional. A distribution's package that does not say its ecosystem has
/// that of its distro. Fails with missing_field or invalid_field.
Result<model::Package> read_scan_package(const Json& object);

/// The package that a package URL names (https://github.com/package-url/purl-spec); nothing for
/// text that is none. `upstream` and `distro` qualifiers give the source package and the release.
std::optional<model::Package> package_of_purl(std::string_view purl);

}  // namespace muster::ctl
