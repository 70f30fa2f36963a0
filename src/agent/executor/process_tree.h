// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

#include "agent/bystanders.h"

namespace muster::agent {

/// Parent in the text of /proc/<pid>/stat; the program's name may hold anything.
std::optional<pid_t> parse_parent(std::string_view proc_stat);

/// Of a child that ended, as a shell has it: its own, or 128 + the signal that ended it; -1: it has
/// not ended.
int exit_code_of(int wait_status);

/// Kills every descendant of this process but the bystanders and theirs, and reaps them all;
/// returns the wait status of `child`, as it was when it ended by itself, if it did. Orphans count
/// too, since this process adopts them; the scan repeats until none is left, so that no fork() in
/// between gets away.
int end_process_tree(pid_t child, const Bystanders& bystanders);

}  // namespace muster::agent
