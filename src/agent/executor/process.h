// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/bystanders.h"
#include "agent/executor/executor.h"
#include "agent/executor/task_group.h"
#include "agent/variables.h"
#include "base/result.h"
#include "base/time.h"

namespace muster::agent {

/// The account that commands run as.
struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Fails with invalid_field for an unknown user, and for root: that would be no isolation.
Result<Account> find_account(const std::string& user);

/// The user that commands run as: `named`, or `nobody` where that is the default of the settings
/// and no package or `install` has made it. The second tells that.
struct CommandUser {
  std::string name;
  bool shared = false;  // it is `nobody`, in place of the one that is missing
};
CommandUser command_user(const std::string& named, bool is_default);

/// How a child process is fenced in.
struct Fence {
  std::optional<Account> account;   // set when this process is root
  std::size_t output_bytes = 0;     // kept of each stream
  std::uint64_t processes_max = 0;  // for `account`; not set without one
  std::uint64_t file_bytes_max = 0;
};

/// What a command is run amid.
struct Surroundings {
  const Bystanders& bystanders;
  const TaskGroups& groups;
};

/// Runs `sh -c -- line` in a private temporary directory that is also HOME and TMPDIR, with an
/// environment of PATH, LANG, HOME and TMPDIR and of `variables`, which may replace LANG alone
/// (model/task_environment.h), no other descriptor than the three streams (standard input is
/// empty), a session of its own, no way to gain rights, no system calls but those that
/// command_filter() leaves, the fence, and a control group of its own where there are any. Blocks
/// until it has ended; then, and after `timeout`, or when `cancel_fd` becomes readable, every
/// descendant is killed and reaped, also those in sessions of their own. They are killed too when
/// this process is (executor/keeper.h).
///
/// This process becomes a subreaper, so that no orphan gets away, and must have no other children
/// but the bystanders. A command that cannot be started gives exit code -1 and the reason.
Outcome run_shell(const std::string& line, const Variables& variables, Duration timeout,
                  const Fence& fence, const Surroundings& around, int cancel_fd);

/// The program of a test.
struct Program {
  std::filesystem::path file;  // copied into the private directory under `name`
  std::string name;
  std::vector<std::string> arguments;
  Variables variables;
};

/// Runs a program as run_shell() runs a line. The private directory is also F0_BUNDLE_DIR; what the
/// program leaves there as bundle_results.json, within bounds::bundle_bytes, is the outcome's
/// bundle.
Outcome run_program(const Program& program, Duration timeout, const Fence& fence,
                    const Surroundings& around, int cancel_fd);

}  // namespace muster::agent
