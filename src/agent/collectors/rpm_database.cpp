// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/rpm_database.h"

#include <memory>
#include <string>

#include <sqlite3.h>

#include "agent/bounds.h"
#include "agent/collectors/databases.h"

namespace muster::agent {

namespace {

/// Of SQLite's machine, between two looks whether to stop.
constexpr int instructions_between_looks = 1000;

/// The file as a URI in which every octet but the plainest is escaped.
std::string uri_of(const std::filesystem::path& file, bool immutable) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : file.string()) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
                       (octet >= '0' && octet <= '9') || octet == '/' || octet == '.';
    if (plain) {
      uri += c;
    } else {
      uri += {'%', digits[octet >> 4U], digits[octet & 15U]};
    }
  }
  return uri + (immutable ? "?immutable=1" : "?mode=ro");
}

}  // namespace

bool read_rpm_database(const std::filesystem::path& file, std::string_view distro, bool in_use,
                       const std::atomic<bool>& stop, Found& found) {
  // A log that is not empty holds commits that the file itself lacks. Without one the file is read
  // as it stands: nothing is locked, and nothing written beside it.
  std::error_code none;
  const auto log_bytes = std::filesystem::file_size(file.string() + "-wal", none);
  const bool immutable = !in_use || none || log_bytes == 0;
  sqlite3* opened = nullptr;
  const int failed = ::sqlite3_open_v2(uri_of(file, immutable).c_str(), &opened,
                                       SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(opened, &::sqlite3_close);
  if (failed != SQLITE_OK) return false;
  // Nothing in a database that may be anybody's is to be run as SQL: `Packages` is a table, and no
  // view whose rows never end.
  ::sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  ::sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ::sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  ::sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, static_cast<int>(bounds::rpm_header_bytes));
  ::sqlite3_busy_timeout(opened, 2000);
  ::sqlite3_progress_handler(
      opened, instructions_between_looks,
      [](void* flag) { return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0; },
      const_cast<std::atomic<bool>*>(&stop));
  sqlite3_stmt* prepared = nullptr;
  if (::sqlite3_prepare_v2(opened, "SELECT blob FROM Packages", -1, &prepared, nullptr) !=
      SQLITE_OK) {
    return false;
  }
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> rows(prepared, &::sqlite3_finalize);
  int outcome = ::sqlite3_step(prepared);
  for (; outcome == SQLITE_ROW; outcome = ::sqlite3_step(prepared)) {
    const auto* bytes = static_cast<const char*>(::sqlite3_column_blob(prepared, 0));
    const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(prepared, 0));
    parse_rpm_header(bytes == nullptr ? std::string_view() : std::string_view(bytes, size), distro,
                     found);
  }
  return outcome == SQLITE_DONE;
}

}  // namespace muster::agent
