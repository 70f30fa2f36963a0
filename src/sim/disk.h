// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing.h"

namespace muster::sim {

/// What a disk may do wrong.
enum class Fault : std::uint8_t {
  crash,       // the process ends in the middle of an operation that changes something
  read_error,  // one read fails
  sync_error,  // one sync fails, and what it should have written may be lost for good
};

/// The bytes of a file as a process sees them, and what of them is certain to outlive the power.
/// The disk writes sectors of 512 bytes whole, in any order, and only a sync makes it finish.
class DiskFile {
 public:
  static constexpr std::int64_t sector = 512;

  std::string_view bytes() const { return bytes_; }
  std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size()); }
  /// Whether some sync has made its name durable.
  bool durable() const { return durable_; }

  void write(std::int64_t at, std::string_view content);
  void truncate(std::int64_t size);
  void sync();
  /// Its directory was synced: the file is there after a power loss, whatever it holds.
  void name_synced();
  /// A sync that failed: the system takes the pages for written (they are not tried again), but
  /// some are not (the behaviour of Linux that PostgreSQL met in 2018).
  void sync_badly();
  /// The power goes: of what no sync covered, each sector is on disk or not, as `rng` says.
  void lose_power(SeededRng& rng);

 private:
  using Sectors = std::map<std::int64_t, std::string>;  // former content by number

  void about_to_change(std::int64_t at, std::int64_t end);

  std::string bytes_;
  bool durable_ = false;
  std::int64_t durable_size_ = 0;
  Sectors unsynced_;
  Sectors lost_;  // their sync failed, and nobody will write them again
};

/// The disk of a machine: files by name, and what goes wrong with it. Used by one thread.
class Disk {
 public:
  explicit Disk(std::uint64_t seed) : rng_(seed) {}

  /// The `operations`-th operation from now (0 is the next) that `fault` can hit has it.
  void arm(Fault fault, std::int64_t operations);
  /// Forgets what was armed; what is full stays full.
  void disarm();
  /// Nothing fails for as long as this lives: for those who look in from outside the world.
  class Peace {
   public:
    explicit Peace(Disk& disk) : disk_(disk), armed_(disk.armed_), full_(disk.full_) {
      disk.disarm();
      disk.full_ = false;
    }
    ~Peace() {
      disk_.armed_ = armed_;
      disk_.full_ = full_;
    }
    Peace(const Peace&) = delete;
    Peace& operator=(const Peace&) = delete;

   private:
    Disk& disk_;
    std::array<std::int64_t, 3> armed_;
    bool full_;
  };

  /// No file can grow until it is told otherwise.
  void set_full(bool full) { full_ = full; }
  /// Syncs say that they are done and do nothing: the fault that checkers of durability must find.
  void set_lying(bool lying) { lying_ = lying; }

  /// Nothing that is on it makes sense any more: the fault that must keep a server from starting.
  void garble();

  /// The process that uses the disk is gone: every operation fails until the next start.
  void die() { dead_ = true; }
  bool dead() const { return dead_; }
  /// The next process starts; the system kept all writes, synced or not.
  void restart();
  /// The same after the power went: what no sync covered is kept in part.
  void lose_power();

  /// Operations so far that changed something.
  std::int64_t changes() const { return changes_; }

  // What a file system does: false or nothing where an operation fails.
  std::shared_ptr<DiskFile> open(const std::string& name, bool create);
  bool exists(const std::string& name) const { return files_.contains(name); }
  bool remove(const std::string& name, bool sync_directory);
  enum class Outcome : std::uint8_t { done, failed, full };
  Outcome write(DiskFile& file, std::int64_t at, std::string_view content);
  Outcome truncate(DiskFile& file, std::int64_t size);
  Outcome sync(DiskFile& file);
  bool may_read();

  SeededRng& rng() { return rng_; }

 private:
  static constexpr std::size_t faults = 3;
  static constexpr std::int64_t never = -1;

  bool hits(Fault fault);
  /// Runs `change` unless the process ends before it does; false if it ended.
  template <typename F>
  bool change(F&& change);

  SeededRng rng_;
  std::map<std::string, std::shared_ptr<DiskFile>> files_;
  /// Deleted, but the directory was not synced since.
  std::map<std::string, std::shared_ptr<DiskFile>> ghosts_;
  std::array<std::int64_t, faults> armed_{never, never, never};
  std::int64_t changes_ = 0;
  bool full_ = false;
  bool lying_ = false;
  bool dead_ = false;
};

}  // namespace muster::sim
