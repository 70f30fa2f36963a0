// SPDX-License-Identifier: Apache-2.0
#include "agent/version.h"

namespace muster::agent {

constinit const std::string_view agent_version = "1.2.0";

}  // namespace muster::agent
