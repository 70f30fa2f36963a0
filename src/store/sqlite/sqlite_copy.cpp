// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_copy.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "store/driver.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::store {

namespace {

/// Pages between two reports of progress: 1 MiB.
constexpr int pages_at_a_time = 256;

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw StoreError(path + ": " + why);
}

Handle open(const std::string& path, int flags) {
  configure_sqlite();
  sqlite3* opened = nullptr;
  const int state = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Handle handle(opened);
  if (state != SQLITE_OK) fail(path, opened != nullptr ? sqlite3_errmsg(opened) : "no memory");
  constexpr int busy_ms = 5000;
  sqlite3_busy_timeout(opened, busy_ms);
  return handle;
}

void run(const Handle& database, const std::string& path, const char* sql) {
  if (sqlite3_exec(database.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail(path, sqlite3_errmsg(database.get()));
  }
}

/// Opens and syncs a file or directory by name.
void sync_path(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) fail(path, std::strerror(error));
}

/// Gives a file another name, for good. Takes nothing's place.
void rename_file(const std::string& path, const std::string& name) {
  // Unlike rename(), link() fails where something has the name.
  if (::link(path.c_str(), name.c_str()) != 0) fail(name, std::strerror(errno));
  ::unlink(path.c_str());
  const std::string folder = std::filesystem::path(name).parent_path();
  sync_path(folder.empty() ? "." : folder);
}

/// A file that only we may read and that goes again unless it is kept.
class Draft {
 public:
  explicit Draft(std::string path) : path_(std::move(path)) {
    const int made = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made < 0) fail(path_, std::strerror(errno));
    ::close(made);
  }
  ~Draft() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const std::string& path() const { return path_; }
  /// Gives it its name, for good. Takes nothing's place.
  void keep(const std::string& name) {
    rename_file(path_, name);
    path_.clear();
  }

 private:
  std::string path_;
};

void copy_pages(const Handle& source, const Handle& target, const std::string& path,
                const CopyProgress& progress) {
  sqlite3_backup* const backup = sqlite3_backup_init(target.get(), "main", source.get(), "main");
  if (backup == nullptr) fail(path, sqlite3_errmsg(target.get()));
  int state = SQLITE_OK;
  while (state == SQLITE_OK) {
    state = sqlite3_backup_step(backup, pages_at_a_time);
    constexpr std::uint64_t page_bytes = 4096;
    const auto all = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup)) * page_bytes;
    const auto left = static_cast<std::uint64_t>(sqlite3_backup_remaining(backup)) * page_bytes;
    if (progress) progress(all - left, all);
  }
  sqlite3_backup_finish(backup);
  if (state != SQLITE_DONE) fail(path, sqlite3_errstr(state));
}

}  // namespace

std::uint64_t copy_sqlite(const std::string& from, const std::string& to,
                          const CopyProgress& progress) {
  if (std::filesystem::exists(to)) fail(to, "exists already");
  const Handle source = open(from, SQLITE_OPEN_READONLY);
  // A transaction that has read holds one moment of the database until it ends, through all steps.
  run(source, from, "BEGIN; SELECT count(*) FROM sqlite_schema;");
  Draft draft(to + ".partial");
  {
    const Handle target = open(draft.path(), SQLITE_OPEN_READWRITE);
    run(target, draft.path(), "PRAGMA synchronous=FULL;");
    copy_pages(source, target, draft.path(), progress);
    // So that the file needs no other beside it and may lie where nobody may write.
    run(target, draft.path(), "PRAGMA journal_mode=DELETE;");
  }
  sync_path(draft.path());
  draft.keep(to);
  return std::filesystem::file_size(to);
}

void move_sqlite(const std::string& from, const std::string& to) {
  if (std::filesystem::exists(to)) fail(to, "exists already");
  // Takes in what its WAL holds and needs it no more.
  run(open(from, SQLITE_OPEN_READWRITE), from, "PRAGMA journal_mode=DELETE;");
  if (std::filesystem::exists(from + "-wal")) fail(from, "is in use");
  sync_path(from);
  rename_file(from, to);
}

void check_sqlite(const std::string& path) {
  const Handle database = open(path, SQLITE_OPEN_READONLY);
  sqlite3_stmt* raw = nullptr;
  const int prepared =
      sqlite3_prepare_v2(database.get(), "PRAGMA integrity_check(1)", -1, &raw, nullptr);
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> check(raw, &sqlite3_finalize);
  if (prepared != SQLITE_OK || sqlite3_step(raw) != SQLITE_ROW) {
    fail(path, sqlite3_errmsg(database.get()));
  }
  const std::string said(reinterpret_cast<const char*>(sqlite3_column_text(raw, 0)));
  if (said != "ok") fail(path, "is damaged: " + said);
}

}  // namespace muster::store
