// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/databases.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "agent/collectors/rpm_database.h"
#include "agent/files.h"
#include "agent/testing/rpm_headers.h"
#include "base/limits.h"
#include "base/test_directory.h"
#include "base/testing.h"

namespace muster::agent {
namespace {

std::string brief(const model::Package& p) {
  std::string text = p.name + " " + p.version + " " + p.arch + " " + p.source_name + " " +
                     p.source_version + " " + p.distro;
  return text;
}

TEST(Apk, EntriesAreLettersAndTheirValues) {
  Found found;
  parse_apk(
      "C:Q1Uq7pr0TahCvC7PPZn3GJKgdsMUY=\nP:musl-utils\nV:1.2.5-r9\nA:x86_64\no:musl\n"
      "T:the musl c library: utilities\nF:sbin\nR:ldconfig\n\n"
      "P:busybox\nV:1.37.0-r12\nA:x86_64\no:busybox\n\n"
      "P:without-version\n\n",
      "alpine:3.21", found);
  ASSERT_EQ(found.packages.size(), 2U);
  EXPECT_EQ(brief(found.packages[0]), "musl-utils 1.2.5-r9 x86_64 musl 1.2.5-r9 alpine:3.21");
  EXPECT_EQ(found.packages[0].ecosystem, model::Ecosystem::apk);
  EXPECT_EQ(found.packages[1].name, "busybox");
  EXPECT_EQ(found.malformed, 1U);
}

TEST(Apk, ARealDatabaseIsReadWhole) {
  const auto path = shared_data("inventory/alpine-apk-installed.db");
  if (!path) GTEST_SKIP() << "inventory/alpine-apk-installed.db is not there: set MUSTER_DATA";
  const auto text = read_small_file(*path, 64 << 20);
  ASSERT_TRUE(text);
  std::size_t entries = 0;
  for (std::size_t at = 0; (at = text->find("\nP:", at)) != std::string::npos; ++at) ++entries;
  Found found;
  parse_apk(*text, "alpine:3.21", found);
  EXPECT_EQ(found.packages.size(), entries);
  EXPECT_GT(entries, 30U);
  EXPECT_EQ(found.malformed, 0U);
}

TEST(Pacman, AFileIsAPackage) {
  Found found;
  parse_pacman(
      "%NAME%\nlib32-glibc\n\n%VERSION%\n2.40+r16+gaa533d58ff-2\n\n%BASE%\nglibc\n\n"
      "%DESC%\nGNU C Library (32-bit)\n\n%ARCH%\nx86_64\n\n%DEPENDS%\nlinux-api-headers>=4.10\n",
      "arch", found);
  parse_pacman("%NAME%\n", "arch", found);
  ASSERT_EQ(found.packages.size(), 1U);
  EXPECT_EQ(brief(found.packages[0]),
            "lib32-glibc 2.40+r16+gaa533d58ff-2 x86_64 glibc 2.40+r16+gaa533d58ff-2 arch");
  EXPECT_EQ(found.malformed, 1U);
}

TEST(Rpm, AHeaderGivesEpochVersionReleaseAndSource) {
  Found found;
  parse_rpm_header(openssl_header(), "rhel:9.4", found);
  ASSERT_EQ(found.packages.size(), 1U);
  EXPECT_EQ(brief(found.packages[0]),
            "openssl-libs 1:3.0.7-27.el9 x86_64 openssl 1:3.0.7-27.el9 rhel:9.4");
  EXPECT_EQ(found.packages[0].ecosystem, model::Ecosystem::rpm);
}

TEST(Rpm, KeysAreNoPackages) {
  Found found;
  parse_rpm_header(HeaderWriter().text(1000, "gpg-pubkey").text(1001, "5a6340b3").bytes(), "rhel:9",
                   found);
  EXPECT_TRUE(found.packages.empty());
  EXPECT_EQ(found.malformed, 0U);
}

TEST(Rpm, NoCutOrChangedHeaderIsReadBeyondItsEnd) {
  const std::string whole = openssl_header();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Found found;
    // In memory of its own, so that a sanitizer sees one octet too many.
    const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    parse_rpm_header({cut.data(), cut.size()}, "rhel:9", found);
    EXPECT_TRUE(found.packages.empty()) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::vector<char> changed(whole.begin(), whole.end());
    changed[at] = static_cast<char>(0xff);
    Found found;
    parse_rpm_header({changed.data(), changed.size()}, "rhel:9", found);
    EXPECT_LE(found.packages.size(), 1U) << at;
  }
}

sqlite3* make_database(const std::string& file, const char* sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  return database;
}

TEST(Rpm, TheDatabaseIsATableOfHeaders) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/rpmdb with space.sqlite";
  sqlite3* database = make_database(
      file, "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)");
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database, "INSERT INTO Packages (blob) VALUES (?)", -1, &insert, nullptr);
  for (const std::string& header : {openssl_header(), std::string("no header")}) {
    sqlite3_bind_blob(insert, 1, header.data(), static_cast<int>(header.size()), SQLITE_TRANSIENT);
    EXPECT_EQ(sqlite3_step(insert), SQLITE_DONE);
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  sqlite3_close(database);
  const std::atomic<bool> stop{false};
  Found found;
  EXPECT_TRUE(read_rpm_database(file, "rhel:9", true, stop, found));
  EXPECT_EQ(found.packages.size(), 1U);
  EXPECT_EQ(found.malformed, 1U);
  EXPECT_FALSE(read_rpm_database(directory.path() + "/absent", "rhel:9", true, stop, found));
}

TEST(Rpm, AViewThatCallsItselfPackagesIsNoDatabase) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/rpmdb.sqlite";
  // Without its LIMIT it would never end.
  sqlite3_close(make_database(file,
                              "CREATE VIEW Packages AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL "
                              "SELECT x + 1 FROM n LIMIT 100000) SELECT x'00' AS blob FROM n"));
  const std::atomic<bool> stop{false};
  Found found;
  EXPECT_FALSE(read_rpm_database(file, "rhel:9", false, stop, found));
  EXPECT_EQ(found.malformed, 0U);
}

TEST(Rpm, AStoppedLookEndsWithinALargeDatabase) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/rpmdb.sqlite";
  sqlite3_close(make_database(file,
                              "CREATE TABLE Packages (blob BLOB); INSERT INTO Packages WITH "
                              "RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT "
                              "20000) SELECT x'00' FROM n"));
  std::atomic<bool> stop{true};
  Found found;
  EXPECT_FALSE(read_rpm_database(file, "rhel:9", false, stop, found));
  EXPECT_LT(found.malformed, 2000U);
  stop = false;
  EXPECT_TRUE(read_rpm_database(file, "rhel:9", false, stop, found));
}

TEST(Found, KeepsWithinItsLimit) {
  Found found;
  for (std::size_t i = 0; i < limits::software_items + 3; ++i) {
    found.add(model::Ecosystem::npm, "p", "1");
  }
  EXPECT_EQ(found.packages.size(), limits::software_items);
  EXPECT_EQ(found.beyond_limit, 3U);
}

}  // namespace
}  // namespace muster::agent
