// SPDX-License-Identifier: Apache-2.0
#include "fleet/saved_views.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/alerts.h"
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
  Result<HostQuestion> question(std::string_view text,
                                std::optional<std::string_view> view = std::nullopt) {
    return read_host_question(fleet->store, std::nullopt, text, view);
  }
  /// The query with its groups written out.
  std::string written_out(std::string_view text) {
    return model::format_host_query(question(text).value().query);
  }
  Result<ShownView> show(std::string_view name) {
    return show_view(fleet->store, fleet->presence, fleet.config, TestFleet::org, name, fleet.now);
  }
  Result<store::AlertRow> watch(const std::string& query) {
    return fleet->store.write([&](store::Tx& tx) {
      return create_alert(tx, fleet->ids, fleet.actor, {TestFleet::org, "watched", query, {}},
                          fleet.now);
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
  EXPECT_EQ(question("", "a").value().query, *model::parse_host_query("tag:b"));
  EXPECT_EQ(remove("a").value().query, "tag:b");
  EXPECT_EQ(names(), (std::vector<std::string>{"Web servers"}));
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'views.set'"), 3);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'views.delete'"), 1);
}

TEST_F(SavedViews, AreOfOneOrganisation) {
  set("a", "tag:a").value();
  EXPECT_EQ(read_host_question(fleet->store, OrgId{2}, "", "a").error().code, Errc::not_found);
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

TEST_F(SavedViews, AreGroupsInOtherQueries) {
  set("web", "hostname:web-*").value();
  set("live web", "group:web -hostname:web-9").value();
  EXPECT_EQ(written_out("group:\"live web\""), "hostname:web-* -hostname:web-9");
  EXPECT_EQ(written_out("os:linux -group:web"), "os:linux -hostname:web-*");
  EXPECT_EQ(question("group:db").error().field, "query");
  for (const char* name : {"web-1", "web-2", "web-9", "db-1"}) {
    fleet.report(TestFleet::report_of(name)).value();
  }
  EXPECT_EQ(show("web").value().hosts.value, 3);
  EXPECT_EQ(show("live web").value().hosts.value, 2);
  EXPECT_EQ(show("web").value().views, std::vector<std::string>{"live web"});
  EXPECT_EQ(show("nothing").error().code, Errc::not_found);
  set("web", "hostname:db-*").value();
  EXPECT_EQ(show("live web").value().hosts.value, 1) << "who is in it is never stored";
}

TEST_F(SavedViews, MakeAQueryOneOfOneOrganisation) {
  set("web", "hostname:web-*").value();
  EXPECT_EQ(question("os:linux").value().org, std::nullopt);
  EXPECT_EQ(question("group:web").value().org, TestFleet::org);
  EXPECT_EQ(question("", "web").value().org, TestFleet::org);
  EXPECT_EQ(read_host_question(fleet->store, OrgId{2}, "group:web").error().field, "query")
      << "the group is of another organisation";
}

TEST_F(SavedViews, ThatCouldNotBeReadAreNotSet) {
  set("a", "tag:a").value();
  set("b", "group:a").value();
  set("c", "group:b").value();
  EXPECT_EQ(set("a", "group:c").error().message, "query: the group \"a\" is part of itself");
  EXPECT_EQ(set("d", "group:d").error().message, "query: the group \"d\" is part of itself");
  EXPECT_EQ(set("d", "group:e").error().message, "query: there is no group \"e\"");
  std::string many;
  for (std::size_t i = 0; i < limits::query_terms - 1; ++i) many += "h ";
  EXPECT_EQ(set("a", many).error().message,
            "query: the view \"c\" names it, and could not be read: query: has more than 200 terms"
            " with those of its groups");
  EXPECT_EQ(written_out("group:c"), "tag:a");
}

TEST_F(SavedViews, ThatAlertsNameStayReadable) {
  set("a", "tag:a").value();
  watch("group:a -kev:true -kev:true -kev:true -kev:true -kev:true").value();
  EXPECT_EQ(show("a").value().alerts, std::vector<std::string>{"watched"});
  std::string lookups;
  for (int i = 0; i < 12; ++i) lookups += "kev:true ";
  EXPECT_NE(set("a", lookups).error().message.find("the alert \"watched\" names it"),
            std::string::npos);
  EXPECT_EQ(remove("a").error().message, "name: the alert \"watched\" names it");
}

TEST_F(SavedViews, AreKeptWhileAnotherNamesThem) {
  set("a", "tag:a").value();
  set("b", "-group:a").value();
  EXPECT_EQ(remove("a").error().message, "name: the view \"b\" names it");
  remove("b").value();
  remove("a").value();
}

}  // namespace
}  // namespace muster::fleet
