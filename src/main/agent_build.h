// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "agent/files.h"
#include "base/time.h"

namespace muster {

/// Which program goes on as this agent, at the start of `run`: this one, or the build of an update.
/// Never returns when it is a build; the file is checked against its digest before it is started.
/// The caller holds the state directory's lock, which the new program takes anew.
///
/// A build on trial is ended by the kernel after `trial` (alarm(2) outlives execve(2)), so that one
/// that hangs cannot stay. Without `trial` only what is proved is started.
void start_chosen_build(agent::DiskFiles& files, char** arguments, std::optional<Duration> trial);

/// Starts `program` with the arguments of this process, less `--launched-by`. Throws
/// std::system_error.
[[noreturn]] void start_again(const std::string& program, char** arguments);

/// The file that this process runs.
std::string own_program();

}  // namespace muster
