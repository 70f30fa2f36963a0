// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "main/ctl/shell.h"

namespace muster::ctl {

/// Exit codes of `muster`.
inline constexpr int exit_ok = 0;
inline constexpr int exit_refused = 1;  // by the server, or there is none, or the disk failed
inline constexpr int exit_usage = 2;    // what was asked cannot be meant

/// Runs one command line, without the program's name. Returns its exit code, exit_refused also
/// where the environment is broken.
int run(const World& world, const std::vector<std::string>& arguments);

}  // namespace muster::ctl
