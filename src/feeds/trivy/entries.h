// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/json_read.h"
#include "model/image.h"

namespace muster::feeds {

/// One element of a result's `Vulnerabilities`; without an id or a package if it says none.
model::ImageVulnerability read_trivy_vulnerability(const Json& entry, std::string_view type,
                                                   std::string_view target);

/// One element of a result's `Packages`, which Trivy lists when asked to (--list-all-pkgs). A
/// package of a system is of `distro` and has its source package; versions are put together of
/// their epoch, version and release. Without a name if it has none.
model::Package read_trivy_package(const Json& entry, std::string_view type,
                                  std::string_view distro);

/// What Trivy's `Metadata` says of an image.
void read_trivy_metadata(const Json& metadata, model::ImageScan& scan);

}  // namespace muster::feeds
