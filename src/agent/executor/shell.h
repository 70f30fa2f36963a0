// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "agent/executor/executor.h"
#include "agent/executor/process.h"
#include "agent/owned_fd.h"
#include "base/guarded.h"

namespace muster::agent {

/// Runs commands, shell lines and programs, on a thread of its own, so that heartbeats go on.
class ShellExecutor final : public Executor {
 public:
  /// Programs of tests are in files below `files`. What `around` refers to outlives this. `user` is
  /// whom commands run as, looked up when one starts: a directory service may be late at boot, and
  /// a user go. Where there is none of that name a command fails with that reason. What commands of
  /// an agent that was killed left in TMPDIR is removed first.
  ShellExecutor(Fence fence, std::optional<std::string> user, Surroundings around,
                std::filesystem::path files);
  /// Kills what still runs.
  ~ShellExecutor() override;

  void start(const Command& command) override;
  std::optional<Ended> take_ended() override;
  void kill() override;

  /// Becomes readable when a command has ended.
  int ended_fd() const { return ended_fd_.get(); }

 private:
  Outcome run(const Command& command) const;

  Fence fence_;
  std::optional<std::string> user_;
  Surroundings around_;
  std::filesystem::path files_;
  OwnedFd ended_fd_;
  OwnedFd cancel_fd_;
  std::thread thread_;
  Guarded<std::optional<Ended>> ended_;
};

}  // namespace muster::agent
