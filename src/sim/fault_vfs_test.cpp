// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_vfs.h"

#include <gtest/gtest.h>

#include "store/sqlite/sqlite_connection.h"
#include "store/store.h"

namespace muster::sim {
namespace {

using store::Access;

/// A machine with one database; its rows are numbers.
struct Machine {
  explicit Machine(std::uint64_t seed) : disk(seed) {}

  void open() {
    connection = store::open_sqlite("/data/muster.db", Access::read_write, vfs.name());
  }
  void create() {
    open();
    connection->run("CREATE TABLE numbers (n integer PRIMARY KEY, filler text)");
  }
  /// One transaction; long enough to touch many sectors.
  void insert(int n) {
    const std::string sql =
        "INSERT INTO numbers VALUES (" + std::to_string(n) + ", '" + std::string(3000, 'x') + "')";
    connection->run(sql.c_str());
  }
  std::int64_t number(const char* sql) const {
    const auto statement = connection->prepare(sql);
    statement->step();
    return statement->integer(0);
  }
  std::int64_t count() const { return number("SELECT count(*) FROM numbers"); }
  bool whole() const {
    const auto statement = connection->prepare("PRAGMA integrity_check");
    statement->step();
    return statement->text(0) == "ok";
  }
  void crash() {
    disk.die();
    connection.reset();
    ASSERT_EQ(vfs.open_files(), 0);
    disk.lose_power();
  }

  FakeClock clock;
  Disk disk;
  FaultVfs vfs{disk, clock};
  std::unique_ptr<store::Connection> connection;
};

TEST(FaultVfs, ServesAWriterAndReadersInWalMode) {
  Machine machine(1);
  machine.create();
  const auto reader = store::open_sqlite("/data/muster.db", Access::read_only, machine.vfs.name());
  reader->run("BEGIN");
  const auto count = reader->prepare("SELECT count(*) FROM numbers");
  ASSERT_TRUE(count->step());
  EXPECT_EQ(count->integer(0), 0);
  count->reset();
  machine.insert(1);
  ASSERT_TRUE(count->step());
  EXPECT_EQ(count->integer(0), 0) << "a reader sees one moment";
  count->reset();
  reader->run("COMMIT");
  ASSERT_TRUE(count->step());
  EXPECT_EQ(count->integer(0), 1);
  count->reset();
  EXPECT_TRUE(machine.disk.exists("/data/muster.db-wal"));
}

TEST(FaultVfs, KeepsEveryCommitThatReturnedWhateverThePowerTakes) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    machine.create();
    int committed = 0;
    // Thousands of frames, so that checkpoints are among what is cut.
    for (; committed < 40; ++committed) machine.insert(committed);
    machine.disk.arm(Fault::crash, static_cast<std::int64_t>(machine.disk.rng().below(200)));
    try {
      for (;; ++committed) {
        machine.insert(committed);
        if (committed % 10 == 0) machine.connection->run("PRAGMA wal_checkpoint(FULL)");
      }
    } catch (const store::StoreError&) {
    }
    machine.crash();
    machine.open();
    ASSERT_TRUE(machine.whole()) << seed;
    // The one that was under way may be there as well.
    ASSERT_GE(machine.count(), committed) << seed;
    ASSERT_LE(machine.count(), committed + 1) << seed;
  }
}

TEST(FaultVfs, LosesCommitsWhenSyncsLie) {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Machine machine(seed);
    machine.create();
    machine.disk.set_lying(true);
    for (int i = 0; i < 10; ++i) machine.insert(i);
    machine.crash();
    machine.disk.set_lying(false);
    try {
      machine.open();
      lost += machine.count() < 10 ? 1 : 0;
    } catch (const store::StoreError&) {
      ++lost;
    }
    machine.connection.reset();
  }
  EXPECT_GT(lost, 15);
}

TEST(FaultVfs, ARestartWithoutPowerLossKeepsEverything) {
  Machine machine(3);
  machine.create();
  machine.insert(1);
  machine.disk.die();
  machine.connection.reset();
  machine.disk.restart();
  machine.open();
  EXPECT_EQ(machine.count(), 1);
}

TEST(FaultVfs, AFullDiskFailsTheCommitAndNothingElse) {
  Machine machine(4);
  machine.create();
  machine.insert(1);
  machine.disk.set_full(true);
  EXPECT_THROW(machine.insert(2), store::StoreError);
  EXPECT_EQ(machine.count(), 1);
  machine.disk.set_full(false);
  machine.insert(3);
  EXPECT_EQ(machine.count(), 2);
}

TEST(FaultVfs, AFailedSyncFailsItsCommitAndTheNextOneIsDurable) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    machine.create();
    machine.insert(1);
    machine.disk.arm(Fault::sync_error, 0);
    EXPECT_THROW(machine.insert(2), store::StoreError);
    machine.insert(3);
    machine.crash();
    machine.open();
    ASSERT_TRUE(machine.whole()) << seed;
    ASSERT_EQ(machine.number("SELECT count(*) FROM numbers WHERE n IN (1, 3)"), 2) << seed;
  }
}

TEST(FaultVfs, AfterAFailedSyncAndARestartCommitsAreDurable) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    machine.create();
    machine.insert(1);
    machine.disk.arm(Fault::sync_error, 0);
    EXPECT_THROW(machine.insert(2), store::StoreError);
    // The next process finds in the system's cache what never reached the disk.
    machine.disk.die();
    machine.connection.reset();
    machine.disk.restart();
    machine.open();
    machine.insert(3);
    machine.crash();
    machine.open();
    ASSERT_TRUE(machine.whole()) << seed;
    ASSERT_EQ(machine.number("SELECT count(*) FROM numbers WHERE n IN (1, 3)"), 2) << seed;
  }
}

TEST(FaultVfs, AFailedReadFailsOnlyItsStatement) {
  Machine machine(5);
  machine.create();
  for (int i = 0; i < 10; ++i) machine.insert(i);
  machine.connection.reset();
  machine.open();
  machine.disk.arm(Fault::read_error, 3);
  EXPECT_THROW(
      for (int i = 0; i < 10; ++i)(void) machine.number("SELECT sum(length(filler)) FROM numbers"),
      store::StoreError);
  EXPECT_EQ(machine.count(), 10);
}

TEST(FaultVfs, AConnectionThatFailsWhileItOpensIsClosed) {
  Machine machine(6);
  machine.create();
  int failed = 0;
  for (int reads = 0; reads < 10; ++reads) {
    machine.disk.arm(Fault::read_error, reads);
    try {
      store::open_sqlite("/data/muster.db", Access::read_only, machine.vfs.name());
    } catch (const store::StoreError&) {
      ++failed;
    }
    machine.disk.disarm();
    EXPECT_EQ(machine.vfs.open_files(), 2) << "the writer's database and WAL alone";
  }
  EXPECT_GT(failed, 0);
}

TEST(DiskFile, KeepsOrLosesUnsyncedSectorsOneByOne) {
  int kept = 0, torn = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SeededRng rng(seed);
    DiskFile file;
    file.write(0, std::string(4 * DiskFile::sector, 'a'));
    file.sync();
    file.write(DiskFile::sector, std::string(2 * DiskFile::sector, 'b'));
    file.lose_power(rng);
    ASSERT_EQ(file.size(), 4 * DiskFile::sector);
    const char second = file.bytes()[600], third = file.bytes()[1100];
    EXPECT_EQ(file.bytes()[0], 'a');
    EXPECT_EQ(file.bytes()[2000], 'a');
    kept += second == 'b' && third == 'b' ? 1 : 0;
    torn += second != third ? 1 : 0;
  }
  EXPECT_GT(kept, 10);
  EXPECT_GT(torn, 20);
}

}  // namespace
}  // namespace muster::sim
