// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_connection.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/test_directory.h"

namespace muster::store {
namespace {

TEST(SqliteLog, ShrinksOnceNobodyReadsWhatWasThereWhenItGrew) {
  constexpr std::uintmax_t bound = 64 * limits::MiB;
  const TestDirectory directory;
  const std::string path = directory.path() + "/muster.db";
  const auto log_bytes = [&] { return std::filesystem::file_size(path + "-wal"); };
  const auto writer = open_sqlite(path, Access::read_write);
  const auto write_8_mib = [&](int times) {
    for (int i = 0; i < times; ++i) writer->run("UPDATE t SET b = randomblob(8388608)");
  };
  writer->run("CREATE TABLE t (b BLOB); INSERT INTO t VALUES (1)");
  write_8_mib(10);
  EXPECT_LT(log_bytes(), bound) << "checkpoints go on by themselves";
  {
    const auto reader = open_sqlite(path, Access::read_only);
    reader->run("BEGIN; SELECT count(*) FROM t");
    write_8_mib(10);
    EXPECT_GT(log_bytes(), bound) << "the reader's moment is kept";
  }
  write_8_mib(2);
  EXPECT_LE(log_bytes(), bound);
}

}  // namespace
}  // namespace muster::store
