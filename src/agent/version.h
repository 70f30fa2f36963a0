// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace muster::agent {

/// The version of this build: X-Agent-Version, heartbeats, --version. Defined alone in version.cpp,
/// so that a test program linked with another definition is another build of the same agent.
extern const std::string_view agent_version;

}  // namespace muster::agent
