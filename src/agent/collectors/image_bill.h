// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/collectors/image_store.h"
#include "agent/collectors/os.h"
#include "model/package.h"

namespace muster::agent {

/// The package URL of a package of a distribution or a registry; empty for others.
/// https://github.com/package-url/purl-spec
std::string package_url(const model::Package& package);

/// What is installed in an image as a CycloneDX 1.5 bill of materials, with the properties that
/// Trivy adds to its own (`aquasecurity:trivy:ImageID`, `RepoTag`, `PkgType`, `SrcName`,
/// `SrcVersion`), for whoever reads Trivy's reads this.
std::string bill_of_image(const LocalImage& image, const OsRelease& os,
                          const std::vector<model::Package>& packages);

}  // namespace muster::agent
