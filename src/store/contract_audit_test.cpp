// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql/audit do, on every engine.
#include "store/sql/audit.h"

#include <atomic>
#include <set>
#include <thread>

#include "base/limits.h"
#include "store/sql/blobs.h"
#include "store/testing/contract.h"
#include "store/testing/statement_plans.h"

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

/// Rows of two organisations and of the server, each told by its id.
class AuditPages : public testing::Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    if (IsSkipped()) return;
    write([&](Tx& tx) {
      second = insert_org(tx, "second", now).value();
      insert(tx, org, 1, "operator:1", "keys.create", "7");
      insert(tx, second, 2, "operator:1", "keys.create", "8");
      insert(tx, org, 3, "operator:2", "keys.revoke", "7");
      insert(tx, server_org, 4, "operator:1", "operators.create", "9");
      insert(tx, org, 5, "operator:1", "tasks.create", "a 'task'");
      insert(tx, second, 6, "operator:2", "keys.create", "7");
      insert(tx, org, 7, "operator:1", "keys.revoke", "8");
      insert(tx, org, 8, "server", "keys.revoke", "7");
    });
  }
  static void insert(Tx& tx, OrgId of, std::int64_t id, const std::string& actor,
                     const std::string& action, const std::string& target) {
    insert_audit(tx, {of, {id}, now + Duration(id), actor, action, target, "{}"});
  }
  /// The ids of all that `filter` means, after the same in pages of every size and the total
  /// agreed.
  std::vector<std::int64_t> ids(const AuditFilter& filter) {
    const auto all = page(filter, AuditId{number_id_max}, 100);
    for (int size = 1; size <= 9; ++size) {
      std::vector<std::int64_t> together;
      for (AuditId before{number_id_max};;) {
        const auto some = page(filter, before, size);
        EXPECT_LE(some.size(), static_cast<std::size_t>(size));
        if (some.empty()) break;
        together.insert(together.end(), some.begin(), some.end());
        before = AuditId{some.back()};
      }
      EXPECT_EQ(together, all) << "pages of " << size;
    }
    const Total total = read([&](Reader& reader) { return count_audit(reader, filter); });
    EXPECT_EQ(total.value, static_cast<std::int64_t>(all.size()));
    EXPECT_TRUE(total.exact);
    return all;
  }
  std::vector<std::int64_t> page(const AuditFilter& filter, AuditId before, int count) {
    std::vector<std::int64_t> found;
    for (const AuditRow& row :
         read([&](Reader& reader) { return list_audit(reader, filter, before, count); })) {
      found.push_back(row.id.value);
    }
    return found;
  }
  using Word = std::optional<std::string>;
  static AuditFilter filter(std::optional<OrgId> of, Word actor, Word action, Word target) {
    AuditFilter filter;
    filter.org = of;
    filter.actor = std::move(actor);
    filter.action = std::move(action);
    filter.target = std::move(target);
    return filter;
  }

  using Ids = std::vector<std::int64_t>;
  static constexpr std::nullopt_t any = std::nullopt;
  OrgId second;
};

ON_EVERY_DATABASE(AuditPages);

TEST_P(AuditPages, HaveWhatEachFilterMeansNewestFirst) {
  EXPECT_EQ(ids(filter(org, any, any, any)), (Ids{8, 7, 5, 3, 1}));
  EXPECT_EQ(ids(filter(org, "operator:1", any, any)), (Ids{7, 5, 1}));
  EXPECT_EQ(ids(filter(org, any, "keys.revoke", any)), (Ids{8, 7, 3}));
  EXPECT_EQ(ids(filter(org, any, any, "7")), (Ids{8, 3, 1}));
  EXPECT_EQ(ids(filter(org, "operator:2", "keys.revoke", any)), (Ids{3}));
  EXPECT_EQ(ids(filter(org, "operator:1", any, "7")), (Ids{1}));
  EXPECT_EQ(ids(filter(org, any, "keys.revoke", "7")), (Ids{8, 3}));
  EXPECT_EQ(ids(filter(org, "server", "keys.revoke", "7")), (Ids{8}));
  EXPECT_EQ(ids(filter(org, any, any, "a 'task'")), (Ids{5}));
  EXPECT_EQ(ids(filter(org, "operator", any, any)), Ids{}) << "exactly that text";
  EXPECT_EQ(ids(filter(org, any, "keys", any)), Ids{});
}

TEST_P(AuditPages, OfAllOrganisationsAreInOneOrder) {
  EXPECT_EQ(ids({}), (Ids{8, 7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(ids(filter(any, "operator:1", any, any)), (Ids{7, 5, 4, 2, 1}));
  EXPECT_EQ(ids(filter(any, any, "keys.create", any)), (Ids{6, 2, 1}));
  EXPECT_EQ(ids(filter(any, any, any, "7")), (Ids{8, 6, 3, 1}));
  EXPECT_EQ(ids(filter(any, "operator:2", "keys.create", "7")), (Ids{6}));
  EXPECT_EQ(ids(filter(any, any, any, "9")), (Ids{4})) << "what is about the whole server, too";
}

TEST_P(AuditPages, OfOneOrganisationHaveNoRowOfAnother) {
  EXPECT_EQ(ids(filter(second, any, any, any)), (Ids{6, 2}));
  EXPECT_EQ(ids(filter(second, "operator:1", any, any)), (Ids{2}));
  EXPECT_EQ(ids(filter(second, any, "keys.create", any)), (Ids{6, 2}));
  EXPECT_EQ(ids(filter(second, any, any, "7")), (Ids{6}));
  EXPECT_EQ(ids(filter(second, "operator:1", "keys.create", any)), (Ids{2}));
  EXPECT_EQ(ids(filter(server_org, "operator:1", any, any)), (Ids{4}));
}

TEST_P(AuditPages, AreBoundByTimeAndById) {
  for (const bool named : {false, true}) {
    AuditFilter some = filter(named ? std::optional(org) : any, any, any, any);
    const auto of = [&](Ids all) {
      if (named) std::erase_if(all, [](std::int64_t id) { return id % 2 == 0 && id != 8; });
      return all;
    };
    some.since = now + Duration(3);
    EXPECT_EQ(ids(some), of({8, 7, 6, 5, 4, 3}));
    some.until = now + Duration(7);
    EXPECT_EQ(ids(some), of({6, 5, 4, 3})) << "from the first on, before the last";
    some.from = AuditId{4};
    EXPECT_EQ(ids(some), of({6, 5, 4}));
    some.below = AuditId{6};
    EXPECT_EQ(ids(some), of({5, 4}));
    some.actor = "operator:1";
    EXPECT_EQ(ids(some), of({5, 4}));
    some.action = "tasks.create";
    EXPECT_EQ(ids(some), Ids{5});
  }
}

TEST_P(AuditPages, TotalsOverOrganisationsAreAtLeastBeyondTheBound) {
  const auto add = [&](OrgId of, std::int64_t first, std::int64_t count) {
    write([&](Tx& tx) {
      std::vector<AuditRow> rows;
      for (std::int64_t id = first; id < first + count; ++id) {
        rows.push_back({of, {id}, now, "key:1", "feeds.import", "kev", "{}"});
      }
      insert_audit(tx, rows);
    });
    return read(
        [&](Reader& reader) { return count_audit(reader, filter(any, "key:1", any, any)); });
  };
  add(org, 100, limits::counted_rows / 2);
  const Total at_the_bound = add(second, 100'000, limits::counted_rows / 2);
  EXPECT_EQ(at_the_bound.value, limits::counted_rows);
  EXPECT_TRUE(at_the_bound.exact);
  const Total beyond = add(second, 200'000, 1);
  EXPECT_EQ(beyond.value, limits::counted_rows);
  EXPECT_FALSE(beyond.exact);
}

TEST_P(AuditPages, AreReadByTheIndexThatHasThemInTheirOrder) {
  if (GetParam() != Engine::sqlite) GTEST_SKIP() << "it plans by what is in the tables";
  testing::StatementLog statements;
  store.reset();
  store.emplace(database->open());
  const auto connection = database->connect();
  const auto plan = [&](const AuditFilter& filter) {
    statements.texts.clear();
    statements.listening = true;
    page(filter, AuditId{number_id_max}, 100);
    read([&](Reader& reader) { return count_audit(reader, filter); });
    statements.listening = false;
    std::set<std::string> steps;
    for (const std::string& sql : statements.texts) {
      if (sql.find("FROM audit ") == std::string::npos) continue;
      const auto explained = connection->prepare(("EXPLAIN QUERY PLAN " + sql).c_str());
      while (explained->step()) {
        std::string step(explained->text(3));
        if (step.find("counted") == std::string::npos) steps.insert(std::move(step));
      }
    }
    return steps;
  };
  const auto by = [](const std::string& index, const std::string& given) {
    return std::set<std::string>{"SEARCH audit USING INDEX " + index + " (" + given +
                                 "audit_id>? AND audit_id<?)"};
  };
  EXPECT_EQ(plan({}), by("audit_by_id", ""));
  EXPECT_EQ(plan(filter(org, any, any, any)), by("sqlite_autoindex_audit_1", "org_id=? AND "));
  for (const std::optional<OrgId> of : {std::optional<OrgId>(), std::optional(org)}) {
    EXPECT_EQ(plan(filter(of, "a", any, any)), by("audit_by_actor", "org_id=? AND actor=? AND "));
    EXPECT_EQ(plan(filter(of, any, "a", any)), by("audit_by_action", "org_id=? AND action=? AND "));
    EXPECT_EQ(plan(filter(of, "a", "a", any)),
              by("audit_by_actor_and_action", "org_id=? AND actor=? AND action=? AND "));
    for (const Word& actor : {Word(), Word("a")}) {
      for (const Word& action : {Word(), Word("a")}) {
        EXPECT_EQ(plan(filter(of, actor, action, "t")),
                  by("audit_by_target", "org_id=? AND target=? AND "));
      }
    }
  }
}

}  // namespace
}  // namespace muster::store
