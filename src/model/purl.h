// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/package.h"

namespace muster::model {

/// The package that a package URL names (https://github.com/package-url/purl-spec); nothing for
/// text that is none. `upstream` and `distro` qualifiers give the source package and the release.
std::optional<Package> package_of_purl(std::string_view purl);

/// The package URL (https://github.com/package-url/purl-spec) of a registry's package:
/// "pkg:npm/%40angular/core@16.0.0". Empty for ecosystems that are no registry.
std::string purl_of(const Package& package);

}  // namespace muster::model
