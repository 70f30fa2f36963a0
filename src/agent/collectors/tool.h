// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "agent/bystanders.h"
#include "base/time.h"

namespace muster::agent {

/// A program of the host that a collector asks, as "trivy" or "systemctl".
struct Tool {
  std::string program;                 // absolute path
  std::vector<std::string> arguments;  // without the program's own name
  std::vector<std::string> variables;  // "NAME=value", beside PATH and LANG
  Duration timeout{0};
  std::size_t output_bytes = 0;
};

/// Where a program of that name is, in /usr/local and the system's folders. Nothing for one that
/// others than root, and the user of this process, may write: it would run with our rights.
std::optional<std::string> find_tool(const std::string& name);

/// Runs a tool and gives what it wrote to standard output. Nothing when it cannot be started, ends
/// with another code than 0, by a signal or after `timeout`, or writes more than `output_bytes`;
/// its process group is killed then. Also soon after `stop` became true. No other descriptor of
/// ours is open in it; standard input and standard error are /dev/null.
std::optional<std::string> run_tool(const Tool& tool, Bystanders& bystanders,
                                    const std::atomic<bool>& stop);

}  // namespace muster::agent
