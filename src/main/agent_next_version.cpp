// SPDX-License-Identifier: Apache-2.0
// Stands before the library's own definition (agent/version.cpp), so that this is a later build.
#include "agent/version.h"

namespace muster::agent {

constinit const std::string_view agent_version = "1.2.1-test.1";

}  // namespace muster::agent
