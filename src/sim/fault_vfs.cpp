// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_vfs.h"

#include <array>
#include <cstring>
#include <map>
#include <new>
#include <vector>

#include <sqlite3.h>

#include "base/check.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::sim {

namespace {

/// The wal-index of one database: memory that its connections share.
struct SharedIndex {
  std::vector<std::unique_ptr<char[]>> regions;
  std::array<int, SQLITE_SHM_NLOCK> shared{};
  std::array<bool, SQLITE_SHM_NLOCK> exclusive{};
  int users = 0;
};

/// The locks of one file (https://sqlite.org/lockingv3.html).
struct FileLocks {
  int shared = 0;
  const void* reserved = nullptr;
  const void* pending = nullptr;
  const void* exclusive = nullptr;
};

}  // namespace

struct FaultVfs::Registration {
  Registration(Disk& its_disk, const Clock& its_clock) : disk(its_disk), clock(its_clock) {}

  Disk& disk;
  const Clock& clock;
  std::string name;
  sqlite3_vfs vfs{};
  int open_files = 0;
  std::map<std::string, FileLocks> locks;
  std::map<std::string, SharedIndex> indexes;
};

namespace {

using Registration = FaultVfs::Registration;

/// Lives in memory that SQLite allocates, so it begins with what SQLite knows.
struct OpenFile {
  sqlite3_file base;
  Registration* registration;
  std::shared_ptr<DiskFile> file;
  std::string name;  // empty: a temporary file, gone when closed
  bool delete_on_close;
  int lock_level;
  bool uses_index;
  std::array<bool, SQLITE_SHM_NLOCK> shm_shared;
  std::array<bool, SQLITE_SHM_NLOCK> shm_exclusive;

  Disk& disk() const { return registration->disk; }
  FileLocks& locks() const { return registration->locks[name]; }
  SharedIndex& index() const { return registration->indexes[name]; }
};

OpenFile& opened(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file);
}

int code_of(Disk::Outcome outcome, int failure) {
  if (outcome == Disk::Outcome::done) return SQLITE_OK;
  return outcome == Disk::Outcome::full ? SQLITE_FULL : failure;
}

// --- Files ---------------------------------------------------------------------------------------

int unlock(sqlite3_file* file, int level) {
  OpenFile& self = opened(file);
  FileLocks& locks = self.locks();
  if (self.lock_level <= level) return SQLITE_OK;
  if (locks.exclusive == &self) locks.exclusive = nullptr;
  if (locks.pending == &self) locks.pending = nullptr;
  if (locks.reserved == &self) locks.reserved = nullptr;
  if (level == SQLITE_LOCK_NONE) --locks.shared;
  self.lock_level = level;
  return SQLITE_OK;
}

int lock(sqlite3_file* file, int level) {
  OpenFile& self = opened(file);
  if (self.disk().dead()) return SQLITE_IOERR_LOCK;
  FileLocks& locks = self.locks();
  if (self.lock_level >= level) return SQLITE_OK;
  const auto others = [&](const void* holder) { return holder != nullptr && holder != &self; };
  if (self.lock_level == SQLITE_LOCK_NONE) {
    if (others(locks.pending) || others(locks.exclusive)) return SQLITE_BUSY;
    ++locks.shared;
    self.lock_level = SQLITE_LOCK_SHARED;
  }
  if (level >= SQLITE_LOCK_RESERVED && level != SQLITE_LOCK_EXCLUSIVE) {
    if (others(locks.reserved)) return SQLITE_BUSY;
    locks.reserved = &self;
  }
  if (level == SQLITE_LOCK_EXCLUSIVE) {
    if (others(locks.reserved) || others(locks.pending)) return SQLITE_BUSY;
    locks.pending = &self;
    if (locks.shared > 1) {
      self.lock_level = SQLITE_LOCK_PENDING;
      return SQLITE_BUSY;
    }
    locks.exclusive = &self;
  }
  self.lock_level = level;
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* reserved) {
  *reserved = opened(file).locks().reserved != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int shm_unmap(sqlite3_file* file, int) {
  OpenFile& self = opened(file);
  if (!self.uses_index) return SQLITE_OK;
  self.uses_index = false;
  SharedIndex& index = self.index();
  for (std::size_t i = 0; i < SQLITE_SHM_NLOCK; ++i) {
    if (std::exchange(self.shm_shared[i], false)) --index.shared[i];
    if (std::exchange(self.shm_exclusive[i], false)) index.exclusive[i] = false;
  }
  if (--index.users == 0) self.registration->indexes.erase(self.name);
  return SQLITE_OK;
}

int close(sqlite3_file* file) {
  OpenFile& self = opened(file);
  shm_unmap(file, 0);
  if (!self.name.empty()) unlock(file, SQLITE_LOCK_NONE);
  if (self.delete_on_close && !self.name.empty()) self.disk().remove(self.name, false);
  --self.registration->open_files;
  self.~OpenFile();
  return SQLITE_OK;
}

int read(sqlite3_file* file, void* into, int amount, sqlite3_int64 at) {
  OpenFile& self = opened(file);
  if (!self.disk().may_read()) return SQLITE_IOERR_READ;
  const std::string_view bytes = self.file->bytes();
  const auto from = static_cast<std::size_t>(at);
  const auto wanted = static_cast<std::size_t>(amount);
  const std::size_t there = from < bytes.size() ? std::min(wanted, bytes.size() - from) : 0;
  auto* out = static_cast<char*>(into);
  std::memcpy(out, bytes.data() + (there > 0 ? from : 0), there);
  std::memset(out + there, 0, wanted - there);
  return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 at) {
  OpenFile& self = opened(file);
  const std::string_view content(static_cast<const char*>(from), static_cast<std::size_t>(amount));
  return code_of(self.disk().write(*self.file, at, content), SQLITE_IOERR_WRITE);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  OpenFile& self = opened(file);
  return code_of(self.disk().truncate(*self.file, size), SQLITE_IOERR_TRUNCATE);
}

int sync(sqlite3_file* file, int) {
  OpenFile& self = opened(file);
  return code_of(self.disk().sync(*self.file), SQLITE_IOERR_FSYNC);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  OpenFile& self = opened(file);
  if (self.disk().dead()) return SQLITE_IOERR_FSTAT;
  *size = self.file->size();
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return DiskFile::sector;
}
int device_characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;  // as SQLite assumes of ordinary disks
}

// --- The wal-index -------------------------------------------------------------------------------

int shm_map(sqlite3_file* file, int region, int size, int extend, volatile void** memory) {
  OpenFile& self = opened(file);
  if (self.disk().dead()) return SQLITE_IOERR_SHMMAP;
  SharedIndex& index = self.index();
  if (!std::exchange(self.uses_index, true)) ++index.users;
  const auto number = static_cast<std::size_t>(region);
  if (index.regions.size() <= number) {
    *memory = nullptr;
    if (extend == 0) return SQLITE_OK;
    while (index.regions.size() <= number) {
      index.regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
    }
  }
  *memory = index.regions[number].get();
  return SQLITE_OK;
}

int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  OpenFile& self = opened(file);
  if (!self.uses_index) return SQLITE_IOERR_SHMLOCK;
  SharedIndex& index = self.index();
  const auto first = static_cast<std::size_t>(offset);
  const auto end = first + static_cast<std::size_t>(count);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (std::size_t i = first; i < end; ++i) {
      if (std::exchange(self.shm_shared[i], false)) --index.shared[i];
      if (std::exchange(self.shm_exclusive[i], false)) index.exclusive[i] = false;
    }
    return SQLITE_OK;
  }
  if (self.disk().dead()) return SQLITE_IOERR_SHMLOCK;
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (std::size_t i = first; i < end; ++i) {
    const int other_readers = index.shared[i] - (self.shm_shared[i] ? 1 : 0);
    const bool other_writer = index.exclusive[i] && !self.shm_exclusive[i];
    if (other_writer || (exclusive && other_readers > 0)) return SQLITE_BUSY;
  }
  for (std::size_t i = first; i < end; ++i) {
    if (exclusive) {
      self.shm_exclusive[i] = index.exclusive[i] = true;
    } else if (!std::exchange(self.shm_shared[i], true)) {
      ++index.shared[i];
    }
  }
  return SQLITE_OK;
}

void shm_barrier(sqlite3_file*) {}

constexpr sqlite3_io_methods methods = {2,
                                        close,
                                        read,
                                        write,
                                        truncate,
                                        sync,
                                        file_size,
                                        lock,
                                        unlock,
                                        check_reserved,
                                        file_control,
                                        sector_size,
                                        device_characteristics,
                                        shm_map,
                                        shm_lock,
                                        shm_barrier,
                                        shm_unmap,
                                        nullptr,
                                        nullptr};

// --- The file system -----------------------------------------------------------------------------

Registration& registration_of(sqlite3_vfs* vfs) {
  return *static_cast<Registration*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  Registration& registration = registration_of(vfs);
  file->pMethods = nullptr;
  std::shared_ptr<DiskFile> found;
  if (name == nullptr) {
    found = std::make_shared<DiskFile>();
  } else {
    found = registration.disk.open(name, (flags & SQLITE_OPEN_CREATE) != 0);
  }
  if (!found || registration.disk.dead()) return SQLITE_CANTOPEN;
  new (file) OpenFile{{&methods},
                      &registration,
                      std::move(found),
                      name == nullptr ? "" : name,
                      (flags & SQLITE_OPEN_DELETEONCLOSE) != 0,
                      SQLITE_LOCK_NONE,
                      false,
                      {},
                      {}};
  ++registration.open_files;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  Registration& registration = registration_of(vfs);
  if (!registration.disk.dead() && !registration.disk.exists(name)) {
    return SQLITE_IOERR_DELETE_NOENT;
  }
  return registration.disk.remove(name, sync_directory != 0) ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

int access(sqlite3_vfs* vfs, const char* name, int, int* yes) {
  Registration& registration = registration_of(vfs);
  if (registration.disk.dead()) return SQLITE_IOERR_ACCESS;
  *yes = registration.disk.exists(name) ? 1 : 0;
  return SQLITE_OK;
}

int full_pathname(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
  registration_of(vfs).disk.rng().fill(
      std::as_writable_bytes(std::span(out, static_cast<std::size_t>(size))));
  return size;
}

int do_not_wait(sqlite3_vfs*, int microseconds) {
  return microseconds;
}

int current_time(sqlite3_vfs* vfs, sqlite3_int64* julian_ms) {
  constexpr sqlite3_int64 unix_epoch = 210'866'760'000'000;  // in milliseconds of Julian days
  *julian_ms = unix_epoch + registration_of(vfs).clock.now().unix_ms;
  return SQLITE_OK;
}

}  // namespace

FaultVfs::FaultVfs(Disk& disk, const Clock& clock)
    : registration_(std::make_unique<Registration>(disk, clock)) {
  // The driver configures the engine on first use, which must come before any registration.
  store::open_sqlite(":memory:", store::Access::read_write);
  static int made = 0;
  registration_->name = "muster-sim-" + std::to_string(++made);
  sqlite3_vfs& vfs = registration_->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(OpenFile);
  vfs.mxPathname = 512;
  vfs.zName = registration_->name.c_str();
  vfs.pAppData = registration_.get();
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  vfs.xFullPathname = full_pathname;
  vfs.xRandomness = randomness;
  vfs.xSleep = do_not_wait;
  vfs.xCurrentTimeInt64 = current_time;
  CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

FaultVfs::~FaultVfs() {
  CHECK(registration_->open_files == 0);
  sqlite3_vfs_unregister(&registration_->vfs);
}

const std::string& FaultVfs::name() const {
  return registration_->name;
}

int FaultVfs::open_files() const {
  return registration_->open_files;
}

}  // namespace muster::sim
