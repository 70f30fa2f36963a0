// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "model/package.h"

namespace muster::model {

/// The package that a package URL names (https://github.com/package-url/purl-spec); nothing for
/// text that is none. `upstream` and `distro` qualifiers give the source package and the release.
std::optional<Package> package_of_purl(std::string_view purl);

}  // namespace muster::model
