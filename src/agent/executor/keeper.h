// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace muster::agent {

/// Called in a child of the agent: makes this process the keeper of one command, and a child of it
/// the process that is to become the command. Returns in that one alone, with the keeper's pid,
/// which is its parent's; -1, in this process, if there can be none.
///
/// The keeper ends as the command does, with 128 + signal where it was ended by one. It lives for
/// the case that the agent is killed (SIGKILL, a crash): then it kills the command with every
/// descendant, who would run on without their time and with nobody to tell of them. It adopts the
/// orphans among them, so none gets away. It is in no session or process group of the agent's, has
/// another name (muster-command) and no descriptor, so that neither what is sent to all processes
/// of the agent ends it, nor is anything held that the next agent needs.
///
/// `agent` is the pid of the process that forked this one, which has no other thread.
pid_t begin_kept_command(pid_t agent);

}  // namespace muster::agent
