// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/executor/process.h"
#include "agent/owned_fd.h"

namespace muster::agent {

/// Where one command runs: a directory of mode 0700 below TMPDIR, else /tmp, and in one that stays
/// this process's own, so that nobody else can rename it. Gone with everything in it afterwards.
class PrivateDirectory {
 public:
  /// Throws std::system_error.
  PrivateDirectory();
  ~PrivateDirectory();
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;

  /// The last thing that is done to it before the command starts: from then on other processes of
  /// that account can change it, too.
  void give_away(const Account& owner) const;
  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }

 private:
  void remove();
  std::string parent_;
  std::string path_;
  OwnedFd lock_;  // of the parent, for as long as this process lives
  OwnedFd fd_;
};

/// Removes the directories of commands whose agent was killed before it could: those of this user
/// that no process has locked and that are older than a minute.
void remove_left_directories();

}  // namespace muster::agent
