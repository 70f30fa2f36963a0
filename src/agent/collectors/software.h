// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/collectors/found.h"
#include "agent/collectors/tree.h"
#include "base/result.h"

namespace muster::agent {

/// Finds what is installed below a root, in every source but those that are `skipped` (`[inventory]
/// skip`); packages of a distribution are of `distro` ("debian:12"). Fails with unavailable when a
/// source of packages is there but cannot be read, which it names, or the look was stopped: what
/// was found then is not all.
Result<void> read_software(Tree& tree, const std::vector<std::string>& skipped,
                           const std::string& distro, Found& found);

}  // namespace muster::agent
