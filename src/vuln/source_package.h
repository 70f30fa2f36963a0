// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/package.h"
#include "vuln/index.h"
#include "vuln/match.h"

namespace muster::vuln {

/// What a package of a distribution is looked up and compared by. `version` is the package's own.
struct SourcePackage {
  std::string name;
  std::string_view version;
};

/// The source package and its version, as reported, or as the name tells it; for an rpm the package
/// itself where the distribution's bulletins list what they built. A signed kernel is the kernel:
/// the source that signs it has a name and a version that no advisory knows. Or the reason why
/// nothing can be compared. `distro` is canonical.
std::variant<SourcePackage, Reason> find_source_package(const Index& index,
                                                        const model::Package& package,
                                                        std::string_view distro);

/// All names that find_source_package() may look up, whatever the index has.
std::vector<std::string> source_package_names(const model::Package& package);

}  // namespace muster::vuln
