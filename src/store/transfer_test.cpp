// SPDX-License-Identifier: Apache-2.0
#include "store/transfer.h"

#include <optional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "store/store.h"
#include "store/testing/databases.h"

namespace muster::store {
namespace {

using testing::TestDatabase;

/// An embedded store with something of every kind in it, and an empty database.
class TransferOnPostgres : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::available(Engine::postgres)) GTEST_SKIP() << testing::not_available;
    fill(from, 1);
    to.emplace(Engine::postgres, TestDatabase::Content::nothing);
  }

  static void fill(const TestDatabase& store, int secret) {
    const Store made(store.open());
    const auto connection = store.connect();
    connection->run(("INSERT INTO secrets VALUES ('hash_key', x'00ff0" + std::to_string(secret) +
                     "'), ('task_key', x'')")
                        .c_str());
    connection->run(
        "INSERT INTO orgs (org_id, name, created_at) VALUES (2, 'größer ''quoted''\n', 5)");
    connection->run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001)"
        " INSERT INTO host_presence SELECT 1 + i % 2, i * 7, i, 'v' || i FROM n");
    connection->run(
        "INSERT INTO audit (org_id, audit_id, at, actor, action, target, details)"
        " VALUES (1, 1, 9, 'server', 'keys.create', 'k', '{}')");
    connection->run(
        "INSERT INTO audit_links (org_id, seq, audit_id, hash) VALUES (1, 1, 1, x'0a0b')");
  }
  Transfer transfer(const TransferProgress& progress = {}) {
    const auto source = from.connect();
    const auto target = to->connect();
    return transfer_store(*source, *target, progress);
  }
  static std::int64_t rows_of(const Transfer& done, const std::string& table) {
    for (const TransferredTable& each : done.tables) {
      if (each.name == table) return each.rows;
    }
    return -1;
  }

  TestDatabase from{Engine::sqlite};
  std::optional<TestDatabase> to;
};

TEST_F(TransferOnPostgres, EveryRowArrivesAsItWas) {
  const std::string before = from.rows();
  const Transfer done = transfer();
  EXPECT_EQ(rows_of(done, "host_presence"), 5001);
  EXPECT_EQ(rows_of(done, "audit"), 1);
  EXPECT_EQ(rows_of(done, "audit_links"), 1);
  EXPECT_EQ(rows_of(done, "secrets"), 2);
  EXPECT_EQ(rows_of(done, "orgs"), 2);
  EXPECT_EQ(done.rows_before, 0);
  EXPECT_EQ(to->rows(), before);
  const Store opens(to->open());  // as a server does
}

TEST_F(TransferOnPostgres, OneThatWasCutShortGoesOnWhereItWas) {
  struct Cut : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const std::string before = from.rows();
  EXPECT_THROW(transfer([](const std::string& table, std::int64_t rows) {
                 if (table == "host_presence" && rows > 2000) throw Cut("here");
               }),
               Cut);
  EXPECT_THROW(Store(to->open()), StoreError) << "no server starts on half of a store";
  const Transfer done = transfer();
  EXPECT_GE(done.rows_before, 4000);
  EXPECT_LT(done.rows_before, 5001 + 10);
  EXPECT_EQ(to->rows(), before);
}

TEST_F(TransferOnPostgres, ADatabaseThatIsNotEmptyIsLeftAlone) {
  to->connect()->run("CREATE TABLE somebodys (thing bigint)");
  EXPECT_THROW(transfer(), StoreError);
  const auto tables = to->connect();
  const auto count = tables->prepare(
      "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'");
  ASSERT_TRUE(count->step());
  EXPECT_EQ(count->integer(0), 1);
}

TEST_F(TransferOnPostgres, AStoreIsCopiedOnceAndNotOverAnother) {
  transfer();
  EXPECT_THROW(transfer(), StoreError);
}

TEST_F(TransferOnPostgres, AnotherStoreDoesNotGoOnWithACopyThatWasBegun) {
  EXPECT_THROW(transfer([](const std::string&, std::int64_t) { throw std::logic_error("cut"); }),
               std::logic_error);
  const TestDatabase other(Engine::sqlite);
  fill(other, 2);
  const auto source = other.connect();
  const auto target = to->connect();
  EXPECT_THROW(transfer_store(*source, *target, {}), StoreError);
}

TEST_F(TransferOnPostgres, AStoreThatChangedBetweenTwoRunsIsNoticed) {
  EXPECT_THROW(transfer([](const std::string& table, std::int64_t) {
                 if (table == "host_presence") throw std::logic_error("cut");
               }),
               std::logic_error);
  from.connect()->run("UPDATE host_presence SET agent_version = 'other' WHERE host_id = 14");
  EXPECT_THROW(transfer(), StoreError);
  EXPECT_THROW(Store(to->open()), StoreError);
}

}  // namespace
}  // namespace muster::store
