// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql/audit do, on every engine.
#include "store/sql/audit.h"

#include <atomic>
#include <thread>

#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

class AuditChain : public testing::Contract {
 protected:
  static AuditRow row(OrgId of, std::int64_t id, const std::string& target = text) {
    return {of, {id}, now + Duration(id), "operator:1", "tokens.create", target, R"({"a": "b"})"};
  }
  void insert(OrgId of, std::int64_t id, const std::string& target = text) {
    write([&](Tx& tx) { insert_audit(tx, row(of, id, target)); });
  }
  std::vector<LinkedAuditRow> linked(OrgId of, std::int64_t after = 0, int count = 10'000) {
    return read([&](Reader& reader) { return list_linked_audit(reader, of, after, count); });
  }
  std::optional<AuditHead> head(OrgId of) {
    return read([&](Reader& reader) { return find_audit_head(reader, of); });
  }
  /// What breaks the chain as it is in the store; empty when nothing does.
  std::string broken(OrgId of) {
    model::AuditCheck check({});
    for (const LinkedAuditRow& one : linked(of)) {
      if (const auto found = check.take(model::encode_audit_line(one))) return found->what;
    }
    if (const auto found = check.take(model::encode_head_line(*head(of)))) return found->what;
    check.take(model::encode_page_line(""));
    const auto found = check.finish();
    return found ? found->what : "";
  }
  void run(const char* sql) { database->connect()->run(sql); }
};

ON_EVERY_DATABASE(AuditChain);

TEST_P(AuditChain, LinksEachRowToTheOneBeforeInItsOrganisation) {
  EXPECT_FALSE(head(org));
  for (std::int64_t id = 1; id <= 3; ++id) {
    insert(org, id);
    insert(other_org, id);
  }
  insert(OrgId{0}, 9);
  for (const OrgId of : {org, other_org}) {
    const auto rows = linked(of);
    ASSERT_EQ(rows.size(), 3U);
    AuditHead expected = model::first_audit_head(of);
    for (const LinkedAuditRow& one : rows) {
      expected = model::advance(expected, row(of, expected.seq + 1));
      EXPECT_EQ(one.seq, expected.seq);
      EXPECT_EQ(one.hash, expected.hash);
    }
    EXPECT_EQ(head(of), expected);
    EXPECT_EQ(broken(of), "");
  }
  EXPECT_EQ(head(OrgId{0})->seq, 1) << "what is about the whole server has a chain of its own";
}

TEST_P(AuditChain, RowsThatAreWrittenTogetherFollowEachOther) {
  insert(org, 1);
  const std::vector<AuditRow> rows = {row(org, 2), row(other_org, 3), row(org, 4), row(org, 5)};
  write([&](Tx& tx) { insert_audit(tx, rows); });
  EXPECT_EQ(head(org)->seq, 4);
  EXPECT_EQ(head(other_org)->seq, 1);
  EXPECT_EQ(broken(org), "");
  EXPECT_EQ(broken(other_org), "");
}

TEST_P(AuditChain, IsReadInPages) {
  for (std::int64_t id = 5; id >= 1; --id) insert(org, id);
  const auto page = linked(org, 2, 2);
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].seq, 3);
  EXPECT_EQ(page[1].seq, 4);
  EXPECT_EQ(page[0].row.id, AuditId{3}) << "the order is that of the writes, not of the ids";
  EXPECT_TRUE(linked(org, 5).empty());
}

TEST_P(AuditChain, HashesATextAsTheDatabaseKeepsIt) {
  insert(org, 1, std::string("nul \0 and \xFF", 11));
  EXPECT_EQ(linked(org)[0].row.target, "nul \uFFFD and \uFFFD");
  EXPECT_EQ(broken(org), "");
}

TEST_P(AuditChain, AWriteThatFailsLeavesNoGap) {
  insert(org, 1);
  EXPECT_THROW(write([&](Tx& tx) {
                 insert_audit(tx, row(org, 2));
                 insert_audit(tx, row(org, 1));
               }),
               StoreError);
  insert(org, 3);
  EXPECT_EQ(head(org)->seq, 2);
  EXPECT_EQ(broken(org), "");
}

TEST_P(AuditChain, IsOneChainForManyWritersAtATime) {
  constexpr int writers = 8;
  constexpr int each = 25;
  store->start_writer();
  std::atomic<std::int64_t> next = 1;
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < each; ++n) insert(i % 2 == 0 ? org : other_org, next++);
    });
  }
  for (std::thread& thread : threads) thread.join();
  store->stop_writer();
  for (const OrgId of : {org, other_org}) {
    EXPECT_EQ(head(of)->seq, writers / 2 * each);
    EXPECT_EQ(broken(of), "");
  }
}

TEST_P(AuditChain, IsOneChainForTwoStoresOnOneDatabase) {
  if (GetParam() == Engine::sqlite) GTEST_SKIP() << "a directory is one server's";
  Store other(database->open());
  std::thread beside([&] {
    for (std::int64_t id = 1; id <= 50; ++id) {
      other.write([&](Tx& tx) { insert_audit(tx, row(org, 2 * id)); });
    }
  });
  for (std::int64_t id = 1; id <= 50; ++id) insert(org, 2 * id + 1);
  beside.join();
  EXPECT_EQ(head(org)->seq, 100);
  EXPECT_EQ(broken(org), "");
}

TEST_P(AuditChain, IsBrokenByWhoeverChangesARowBehindItsBack) {
  for (std::int64_t id = 1; id <= 4; ++id) insert(org, id, "t");
  const char* untied = GetParam() == Engine::sqlite
                           ? "DROP TRIGGER audit_is_never_changed;"
                             "DROP TRIGGER audit_is_never_deleted"
                           : "DROP TRIGGER audit_is_never_changed ON audit";
  run(untied);
  run("UPDATE audit SET actor = 'operator:9' WHERE audit_id = 3");
  EXPECT_NE(broken(org).find("row 3 of organisation 1 (id 3, "), std::string::npos) << broken(org);
  run("UPDATE audit SET actor = 'operator:1' WHERE audit_id = 3");
  EXPECT_EQ(broken(org), "");
  run("DELETE FROM audit WHERE audit_id = 2");
  EXPECT_NE(broken(org).find("row 2 of organisation 1 is missing"), std::string::npos);
  run("DELETE FROM audit WHERE audit_id = 4");
  EXPECT_EQ(linked(org).size(), 2U);
  EXPECT_EQ(head(org)->seq, 4) << "the newest row cannot go unseen either";
}

TEST_P(AuditChain, TakesWhatIsNoHashForABrokenOne) {
  insert(org, 1, "t");
  run("INSERT INTO audit (org_id, audit_id, at, actor, action, target, details)"
      " VALUES (1, 2, 3, 'server', 'x.y', '', '{}')");
  const std::string hash = GetParam() == Engine::sqlite ? "x'00'" : "'\\x00'";
  run(("INSERT INTO audit_links (org_id, seq, audit_id, hash) VALUES (1, 2, 2, " + hash + ")")
          .c_str());
  EXPECT_NE(broken(org).find("row 2 of organisation 1 (id 2, "), std::string::npos) << broken(org);
}

TEST_P(AuditChain, LinksCannotBeChangedOrDeleted) {
  insert(org, 1);
  for (const Sql sql : {Sql("UPDATE audit_links SET seq = 2"), Sql("DELETE FROM audit_links")}) {
    EXPECT_THROW(write([&](Tx& tx) { tx.execute(sql); }), StoreError);
  }
  EXPECT_EQ(broken(org), "");
}

TEST_P(AuditChain, RowsWithoutALinkAreFoundAndLinked) {
  write([](Tx& tx) {
    for (const std::int64_t id : {3, 1, 2}) {
      tx.execute(
          "INSERT INTO audit (org_id, audit_id, at, actor, action, target, details)"
          " VALUES (1, $1, 3, 'server', 'x.y', '', '{}')",
          id);
    }
  });
  insert(org, 9);
  const auto unlinked = [&](AuditId after, int count) {
    return read([&](Reader& reader) { return list_unlinked_audit(reader, org, after, count); });
  };
  const auto found = unlinked({}, 2);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].id, AuditId{1});
  EXPECT_EQ(unlinked(AuditId{2}, 9).size(), 1U);
  write([&](Tx& tx) { link_audit(tx, found); });
  EXPECT_EQ(unlinked({}, 9).size(), 1U);
  EXPECT_EQ(head(org)->seq, 3);
  EXPECT_EQ(broken(org), "");
}

}  // namespace
}  // namespace muster::store
