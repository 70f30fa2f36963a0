// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/package.h"

namespace muster::model {

/// The package URL (https://github.com/package-url/purl-spec) of a registry's package:
/// "pkg:npm/%40angular/core@16.0.0". Empty for ecosystems that are no registry.
std::string purl_of(const Package& package);

}  // namespace muster::model
