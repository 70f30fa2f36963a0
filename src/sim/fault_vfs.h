// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "sim/disk.h"

namespace muster::sim {

/// A SQLite VFS (https://sqlite.org/vfs.html) over a Disk: the real engine, with several
/// connections and WAL, on files that exist in memory only. Registered under name() while it lives;
/// time is `clock`'s, and nothing ever sleeps. One thread.
class FaultVfs {
 public:
  FaultVfs(Disk& disk, const Clock& clock);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const;
  /// Files that some connection has open: none, once a crashed server was destroyed.
  int open_files() const;

  struct Registration;  // what SQLite's callbacks are given

 private:
  std::unique_ptr<Registration> registration_;
};

}  // namespace muster::sim
