// SPDX-License-Identifier: Apache-2.0
#include "sim/disk.h"

#include <algorithm>

#include "base/check.h"

namespace muster::sim {

// --- DiskFile ------------------------------------------------------------------------------------

void DiskFile::about_to_change(std::int64_t at, std::int64_t end) {
  for (std::int64_t number = at / sector; number * sector < end; ++number) {
    if (const auto lost = lost_.extract(number)) {
      unsynced_.emplace(number, lost.mapped());
      continue;
    }
    if (unsynced_.contains(number)) continue;
    const std::int64_t from = number * sector;
    const std::int64_t to = std::min(from + sector, std::min(durable_size_, size()));
    std::string former;
    if (to > from) {
      former = bytes_.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
    }
    unsynced_.emplace(number, std::move(former));
  }
}

void DiskFile::write(std::int64_t at, std::string_view content) {
  const std::int64_t end = at + static_cast<std::int64_t>(content.size());
  about_to_change(at, end);
  if (end > size()) bytes_.resize(static_cast<std::size_t>(end), '\0');
  bytes_.replace(static_cast<std::size_t>(at), content.size(), content);
}

void DiskFile::truncate(std::int64_t to) {
  if (to < size()) about_to_change(to, size());
  bytes_.resize(static_cast<std::size_t>(to), '\0');
}

void DiskFile::sync() {
  unsynced_.clear();
  durable_size_ = size();
  durable_ = true;
}

void DiskFile::name_synced() {
  durable_ = true;
}

void DiskFile::sync_badly() {
  lost_.merge(unsynced_);
  unsynced_.clear();
}

void DiskFile::lose_power(SeededRng& rng) {
  unsynced_.merge(lost_);
  lost_.clear();
  const bool size_kept = rng.below(2) == 0;
  std::int64_t left = size_kept ? size() : durable_size_;
  bytes_.resize(static_cast<std::size_t>(std::max(size(), durable_size_)), '\0');
  for (const auto& [number, former] : unsynced_) {
    const std::int64_t from = number * sector;
    if (rng.below(2) == 0) {
      // On disk; a file that grew is at least as long as what is there of it.
      if (from < size()) left = std::max(left, std::min(from + sector, size()));
      continue;
    }
    std::string whole = former;
    whole.resize(sector, '\0');
    const std::int64_t fits = std::min(sector, size() - from);
    if (fits <= 0) continue;
    bytes_.replace(static_cast<std::size_t>(from), static_cast<std::size_t>(fits), whole, 0,
                   static_cast<std::size_t>(fits));
  }
  bytes_.resize(static_cast<std::size_t>(left));
  unsynced_.clear();
  durable_size_ = size();
  durable_ = true;
}

// --- Disk ----------------------------------------------------------------------------------------

void Disk::arm(Fault fault, std::int64_t operations) {
  armed_[static_cast<std::size_t>(fault)] = operations;
}

void Disk::disarm() {
  armed_.fill(never);
}

bool Disk::hits(Fault fault) {
  std::int64_t& left = armed_[static_cast<std::size_t>(fault)];
  return left != never && left-- == 0;
}

template <typename F>
bool Disk::change(F&& change) {
  if (dead_) return false;
  ++changes_;
  const bool crash = hits(Fault::crash);
  const bool after = crash && rng_.below(2) == 0;
  if (!crash || after) change();
  if (crash) dead_ = true;
  return !crash;
}

void Disk::garble() {
  for (auto& [name, file] : files_) {
    file->write(0, std::string(static_cast<std::size_t>(file->size()), 'x'));
  }
}

void Disk::restart() {
  dead_ = false;
  disarm();
}

void Disk::lose_power() {
  for (auto file = files_.begin(); file != files_.end();) {
    // A name that no sync covered may be gone with its file.
    const bool gone = !file->second->durable() && rng_.below(2) == 0;
    if (!gone) file->second->lose_power(rng_);
    file = gone ? files_.erase(file) : std::next(file);
  }
  for (auto& [name, ghost] : ghosts_) {
    if (files_.contains(name) || rng_.below(2) == 0) continue;
    ghost->lose_power(rng_);
    files_.emplace(name, ghost);
  }
  ghosts_.clear();
  restart();
}

std::shared_ptr<DiskFile> Disk::open(const std::string& name, bool create) {
  if (dead_) return nullptr;
  if (const auto found = files_.find(name); found != files_.end()) return found->second;
  if (!create) return nullptr;
  std::shared_ptr<DiskFile> made;
  change([&] {
    ghosts_.erase(name);
    made = files_.emplace(name, std::make_shared<DiskFile>()).first->second;
  });
  return dead_ ? nullptr : made;
}

bool Disk::remove(const std::string& name, bool sync_directory) {
  return change([&] {
    const auto found = files_.find(name);
    if (found == files_.end()) return;
    if (!sync_directory && found->second->durable()) ghosts_[name] = found->second;
    files_.erase(found);
  });
}

Disk::Outcome Disk::write(DiskFile& file, std::int64_t at, std::string_view content) {
  if (!dead_ && full_ && at + static_cast<std::int64_t>(content.size()) > file.size()) {
    return Outcome::full;
  }
  return change([&] { file.write(at, content); }) ? Outcome::done : Outcome::failed;
}

Disk::Outcome Disk::truncate(DiskFile& file, std::int64_t size) {
  return change([&] { file.truncate(size); }) ? Outcome::done : Outcome::failed;
}

Disk::Outcome Disk::sync(DiskFile& file) {
  if (!dead_ && hits(Fault::sync_error)) {
    file.sync_badly();
    return Outcome::failed;
  }
  const bool done = change([&] {
    if (lying_) return;
    // SQLite syncs the directory with a new journal or WAL, and so every name in it.
    if (!file.durable()) {
      for (auto& [name, other] : files_) other->name_synced();
      ghosts_.clear();
    }
    file.sync();
  });
  return done ? Outcome::done : Outcome::failed;
}

bool Disk::may_read() {
  return !dead_ && !hits(Fault::read_error);
}

}  // namespace muster::sim
