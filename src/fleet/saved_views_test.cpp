// SPDX-License-Identifier: Apache-2.0
#include "fleet/saved_views.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

class SavedViews : public ::testing::Test {
 protected:
  Result<store::SavedView> set(std::string_view name, std::string_view query) {
    return fleet->store.write([&](store::Tx& tx) {
      return set_view(tx, fleet->ids, fleet.actor, TestFleet::org, name, query, fleet.now);
    });
  }
  Result<store::SavedView> remove(std::string_view name) {
    return fleet->store.write([&](store::Tx& tx) {
      return delete_view(tx, fleet->ids, fleet.actor, TestFleet::org, name, fleet.now);
    });
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const store::SavedView& view : list_views(fleet->store, TestFleet::org)) {
      out.push_back(view.name);
    }
    return out;
  }
  TestFleet fleet;
};

TEST_F(SavedViews, AreSetReplacedAndDeletedWithAnAuditRowEach) {
  EXPECT_EQ(set("Web servers", "tag:web").value().set_by, "operator:1");
  EXPECT_EQ(set("a", "tag:a").value().query, "tag:a");
  EXPECT_EQ(names(), (std::vector<std::string>{"Web servers", "a"}));
  set("a", "tag:b").value();
  set("a", "tag:b").value();  // says nothing new
  EXPECT_EQ(*view_query(fleet->store, TestFleet::org, "a"), *model::parse_host_query("tag:b"));
  EXPECT_EQ(remove("a").value().query, "tag:b");
  EXPECT_EQ(names(), (std::vector<std::string>{"Web servers"}));
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'views.set'"), 3);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'views.delete'"), 1);
}

TEST_F(SavedViews, AreOfOneOrganisation) {
  set("a", "tag:a").value();
  EXPECT_EQ(view_query(fleet->store, OrgId{2}, "a").error().code, Errc::not_found);
  EXPECT_TRUE(list_views(fleet->store, OrgId{2}).empty());
  EXPECT_EQ(list_views(fleet->store, std::nullopt).size(), 1U);
}

TEST_F(SavedViews, KeepNoQueryThatCannotBeRead) {
  EXPECT_EQ(set("a", "tag:(").error().field, "query");
  EXPECT_EQ(set("", "tag:a").error().field, "name");
  EXPECT_EQ(set(std::string(limits::name_bytes + 1, 'a'), "tag:a").error().field, "name");
  EXPECT_EQ(remove("a").error().code, Errc::not_found);
  EXPECT_TRUE(names().empty());
}

TEST_F(SavedViews, AreBounded) {
  for (std::size_t i = 0; i < limits::saved_views; ++i) {
    ASSERT_TRUE(set("view " + std::to_string(i), "tag:a").ok());
  }
  EXPECT_EQ(set("one more", "tag:a").error().field, "name");
  EXPECT_TRUE(set("view 0", "tag:b").ok());
}

}  // namespace
}  // namespace muster::fleet
