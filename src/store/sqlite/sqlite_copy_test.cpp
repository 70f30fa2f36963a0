// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_copy.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/test_directory.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::store {
namespace {

struct Ledger {
  TestDirectory directory{memory_backed_path()};
  std::string path = directory.path() + "/ledger.db";
  std::string copy = directory.path() + "/copy.db";
  std::unique_ptr<Connection> writer = open_sqlite(path, Access::read_write);

  Ledger() {
    writer->run("CREATE TABLE money (account INTEGER PRIMARY KEY, amount INTEGER, words TEXT)");
    writer->run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)"
        " INSERT INTO money SELECT i, 10, hex(randomblob(500)) FROM n");
  }
  /// Moves money from one account to another: the sum stays.
  void move() {
    writer->run(
        "BEGIN IMMEDIATE;"
        "UPDATE money SET amount = amount - 1, words = hex(randomblob(500)) WHERE account % 7 = 0;"
        "UPDATE money SET amount = amount + 1 WHERE account % 7 = 1 AND account > 1;"
        "COMMIT;");
  }
};

std::int64_t number(const std::string& path, const char* sql) {
  const auto reader = open_sqlite(path, Access::read_only);
  const auto statement = reader->prepare(sql);
  EXPECT_TRUE(statement->step());
  return statement->integer(0);
}

TEST(CopySqlite, IsOneMomentOfADatabaseThatIsBeingWritten) {
  Ledger ledger;
  int steps = 0;
  std::uint64_t last = 0;
  const std::uint64_t bytes =
      copy_sqlite(ledger.path, ledger.copy, [&](std::uint64_t done, std::uint64_t of) {
        EXPECT_GT(done, last);
        EXPECT_LE(done, of);
        last = done;
        ++steps;
        ledger.move();
      });
  EXPECT_GT(steps, 1) << "nothing was written in between";
  EXPECT_EQ(last, bytes);
  check_sqlite(ledger.copy);
  EXPECT_EQ(number(ledger.copy, "SELECT sum(amount) FROM money"), 40'000);
  EXPECT_EQ(number(ledger.copy, "SELECT count(*) FROM money WHERE amount <> 10"), 0)
      << "the moment is that of the beginning";
  EXPECT_GT(number(ledger.path, "SELECT count(*) FROM money WHERE amount <> 10"), 0);
}

TEST(CopySqlite, IsOneFileThatOnlyItsOwnerReads) {
  Ledger ledger;
  copy_sqlite(ledger.path, ledger.copy, {});
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(ledger.directory.path())) {
    if (entry.path().filename().string().starts_with("copy")) {
      names.push_back(entry.path().filename());
    }
  }
  EXPECT_EQ(names, std::vector<std::string>{"copy.db"});
  struct stat about {};
  ASSERT_EQ(::stat(ledger.copy.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST(CopySqlite, TakesNothingsPlace) {
  Ledger ledger;
  std::ofstream(ledger.copy) << "mine";
  EXPECT_THROW(copy_sqlite(ledger.path, ledger.copy, {}), StoreError);
  std::string kept;
  std::ifstream(ledger.copy) >> kept;
  EXPECT_EQ(kept, "mine");
}

TEST(CopySqlite, OfWhatIsNoDatabaseLeavesNothing) {
  Ledger ledger;
  const std::string other = ledger.directory.path() + "/other";
  std::ofstream(other) << std::string(8192, 'x');
  EXPECT_THROW(copy_sqlite(other, ledger.copy, {}), StoreError);
  EXPECT_THROW(copy_sqlite(ledger.directory.path() + "/none", ledger.copy, {}), StoreError);
  EXPECT_FALSE(std::filesystem::exists(ledger.copy));
  EXPECT_FALSE(std::filesystem::exists(ledger.copy + ".partial"));
}

TEST(MoveSqlite, TakesInTheWalAndTakesNothingsPlace) {
  Ledger ledger;
  copy_sqlite(ledger.path, ledger.copy, {});
  {
    const auto reader = open_sqlite(ledger.copy, Access::read_only);
    open_sqlite(ledger.copy, Access::read_write)->run("UPDATE money SET amount = 7");
  }
  const std::string moved = ledger.directory.path() + "/moved.db";
  move_sqlite(ledger.copy, moved);
  EXPECT_FALSE(std::filesystem::exists(ledger.copy));
  EXPECT_FALSE(std::filesystem::exists(moved + "-wal"));
  EXPECT_EQ(number(moved, "SELECT sum(amount) FROM money"), 7 * 4000);
  EXPECT_THROW(move_sqlite(ledger.path, moved), StoreError);
  EXPECT_TRUE(std::filesystem::exists(ledger.path));
}

TEST(CheckSqlite, FindsADamagedPage) {
  Ledger ledger;
  copy_sqlite(ledger.path, ledger.copy, {});
  check_sqlite(ledger.copy);
  {
    std::fstream file(ledger.copy, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 20 + 3);
    file << "\xff\xff\xff\xff\xff";
  }
  EXPECT_THROW(check_sqlite(ledger.copy), StoreError);
}

}  // namespace
}  // namespace muster::store
