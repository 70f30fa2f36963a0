// SPDX-License-Identifier: Apache-2.0
#include "fleet/audit.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/orgs.h"
#include "fleet/testing.h"
#include "model/audit_export.h"
#include "store/sql/audit.h"

namespace muster::fleet {
namespace {

class AuditLog : public testing::Test {
 protected:
  void change(int times, OrgId org = TestFleet::org) {
    for (int i = 0; i < times; ++i) {
      fleet->store.write([&](store::Tx& tx) {
        record_audit(
            tx, fleet->ids, org, fleet.actor, "tokens.create", "t",
            [](JsonWriter& details) { details.member("name", "größer"); }, fleet.now);
      });
    }
  }
  /// As a server of the release before wrote them.
  void change_without_links(std::int64_t first, std::int64_t count) {
    fleet->store.write([&](store::Tx& tx) {
      for (std::int64_t id = first; id < first + count; ++id) {
        tx.execute(
            "INSERT INTO audit (org_id, audit_id, at, actor, action, target, details)"
            " VALUES (1, $1, 5, 'operator:1', 'tokens.create', 't', '{}')",
            id);
      }
    });
  }
  /// All pages one behind another.
  std::string whole(int page_rows, std::optional<OrgId> org = std::nullopt, AuditCursor from = {}) {
    std::string all;
    for (pages = 1;; ++pages) {
      const std::string page = export_audit(fleet->store, org, from, page_rows);
      all += page;
      if (page.ends_with(model::encode_page_line("") + "\n")) return all;
      const std::string_view key = "{\"next_cursor\": \"";
      const auto at = page.rfind(key) + key.size();
      from = parse_audit_cursor(page.substr(at, page.size() - at - 3)).value();
    }
  }
  static std::string proven(const std::string& lines,
                            const std::vector<model::AuditHead>& noted = {}) {
    model::AuditCheck check(noted);
    std::string_view left = lines;
    while (!left.empty()) {
      const auto end = left.find('\n');
      if (const auto found = check.take(left.substr(0, end))) return found->what;
      left.remove_prefix(end + 1);
    }
    const auto found = check.finish();
    return found ? found->what : std::to_string(check.rows()) + " rows";
  }
  std::vector<model::AuditHead> heads() { return list_audit_heads(fleet->store, std::nullopt); }

  TestFleet fleet;
  int pages = 0;
};

TEST_F(AuditLog, IsExportedInPagesThatAreOneExport) {
  change(5);
  change(3, OrgId{0});
  const auto second = fleet->store.write(
      [&](store::Tx& tx) { return create_org(tx, fleet->ids, fleet.actor, "second", fleet.now); });
  EXPECT_TRUE(second.ok());
  for (const int rows : {1, 2, 3, 5, 8, 9, 100}) {
    EXPECT_EQ(proven(whole(rows)), "9 rows") << rows << " a page";
    EXPECT_LE(pages, 9 / rows + 1);
  }
  EXPECT_EQ(proven(whole(2, TestFleet::org)), "5 rows");
  EXPECT_EQ(proven(whole(2, OrgId{0})), "3 rows");
  EXPECT_EQ(whole(10, OrgId{7}), "{\"next_cursor\": null}\n") << "nobody changed anything there";
}

TEST_F(AuditLog, IsExportedFromAHeadOn) {
  change(3);
  const auto noted = heads();
  EXPECT_EQ(noted.size(), 1U);
  change(2);
  const AuditCursor behind{noted[0].org, noted[0].seq};
  EXPECT_EQ(proven(whole(1, noted[0].org, behind), noted), "2 rows");
  const auto newest = heads();
  EXPECT_EQ(proven(whole(1, noted[0].org, {newest[0].org, newest[0].seq}), newest), "0 rows");
  EXPECT_EQ(proven(whole(9), noted), "5 rows");
  EXPECT_EQ(proven(whole(9), newest), "5 rows");
}

TEST_F(AuditLog, CursorsOfAnotherFormAreRefused) {
  EXPECT_EQ(parse_audit_cursor("")->after, 0);
  EXPECT_EQ(parse_audit_cursor("3.17")->org, OrgId{3});
  EXPECT_EQ(parse_audit_cursor(encode_audit_cursor({{3}, 17}))->after, 17);
  for (const char* other : {"17", "1.", ".1", "1.x", "-1.1", "1.-1", "1.2.3"}) {
    EXPECT_EQ(parse_audit_cursor(other).error().field, "cursor") << other;
  }
}

TEST_F(AuditLog, RowsFromBeforeTheChainAreLinkedOnce) {
  constexpr std::int64_t many = 2 * limits::prune_rows + 1;
  change_without_links(1, many);
  change(1);
  EXPECT_EQ(link_earlier_audit(fleet->store), static_cast<std::size_t>(many));
  EXPECT_EQ(link_earlier_audit(fleet->store), 0U);
  EXPECT_EQ(proven(whole(1000)), std::to_string(many + 1) + " rows");
}

TEST_F(AuditLog, HeadsThatMovedAreToldOnceADay) {
  AuditWatch watch;
  EXPECT_TRUE(watch.look(fleet->store, fleet.now).empty());
  change(2);
  EXPECT_TRUE(watch.look(fleet->store, fleet.now + std::chrono::hours(23)).empty());
  Instant day = fleet.now + audit_heads_every;
  EXPECT_EQ(watch.look(fleet->store, day), heads());
  day = day + audit_heads_every;
  EXPECT_TRUE(watch.look(fleet->store, day).empty()) << "it did not move";
  change_without_links(1, 1);
  day = day + audit_heads_every;
  const auto told = watch.look(fleet->store, day);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].seq, 3) << "what an older server wrote is linked before";
}

TEST_F(AuditLog, RowsOfOneCallAreOneAfterAnother) {
  fleet->store.write([&](store::Tx& tx) {
    AuditRows rows(fleet->ids, fleet.actor, fleet.now);
    rows.record(tx);
    for (const int org : {1, 0, 1}) rows.add(OrgId{org}, "tasks.create", "t", {});
    rows.record(tx);
    rows.record(tx);
  });
  EXPECT_EQ(proven(whole(10)), "3 rows");
  EXPECT_EQ(heads().size(), 2U);
}

}  // namespace
}  // namespace muster::fleet
