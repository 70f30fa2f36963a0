// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "agent/test_order.h"
#include "agent/variables.h"
#include "base/ids.h"
#include "base/time.h"

namespace muster::agent {

/// What to run for a task: a shell line, or the program of a test.
struct Command {
  TaskId task;
  std::string line;
  Duration timeout{0};
  Variables variables = {};
  std::optional<TestOrder> test = std::nullopt;
};

/// How a command ended.
struct Outcome {
  int exit_code = 0;  // the command's own; 128 + signal; -1 when it was killed or never ran
  std::string stdout_text;
  std::string stderr_text;
  bool stdout_truncated = false;
  bool stderr_truncated = false;
  std::string bundle;  // bundle_results.json, as the test left it; core: as it is sent
  std::string error;   // why the exit code is -1, else empty
  Instant started_at;
  Instant completed_at;
  Duration took{0};
};

/// Runs one command at a time beside the caller.
class Executor {
 public:
  struct Ended {
    TaskId task;
    Outcome outcome;
  };

  virtual ~Executor() = default;
  /// Never while another command runs.
  virtual void start(const Command& command) = 0;
  /// The outcome of the command that was started, once.
  virtual std::optional<Ended> take_ended() = 0;
  /// Ends a running command at once, with all its descendants; take_ended() will tell.
  virtual void kill() = 0;
};

}  // namespace muster::agent
