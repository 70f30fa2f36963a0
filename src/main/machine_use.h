// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "endpoints/server/machine_use.h"

namespace muster {

/// What this process takes of its machine (proc(5), cgroups(7), statvfs(3), adjtimex(2)), the
/// transport left empty. `data` is the directory whose file system counts. Safe from any thread.
endpoints::MachineUse read_machine_use(const std::string& data);

}  // namespace muster
