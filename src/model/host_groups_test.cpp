// SPDX-License-Identifier: Apache-2.0
#include "model/host_groups.h"

#include <map>

#include <gtest/gtest.h>

namespace muster::model {
namespace {

class HostGroups : public ::testing::Test {
 protected:
  Result<HostQuery> expand(std::string_view text) {
    return expand_groups(parse_host_query(text).value(), [this](std::string_view name) {
      const auto found = groups.find(std::string(name));
      return found == groups.end() ? std::nullopt : std::optional(found->second);
    });
  }
  std::string written_out(std::string_view text) { return format_host_query(expand(text).value()); }
  std::string refusal(std::string_view text) { return expand(text).error().message; }

  std::map<std::string, std::string> groups;
};

TEST_F(HostGroups, AreReplacedByTheirQueries) {
  groups = {{"web", "tag:web OR web-*"}, {"Live", "group:web -tag:canary"}};
  EXPECT_EQ(written_out("group:web"), "tag:web OR hostname:web-*");
  EXPECT_EQ(written_out("os:linux group:web"), "os:linux (tag:web OR hostname:web-*)");
  EXPECT_EQ(written_out("os:linux group:Live"), "os:linux (tag:web OR hostname:web-*) -tag:canary");
  EXPECT_EQ(written_out("-group:Live"), "-((tag:web OR hostname:web-*) -tag:canary)");
  EXPECT_EQ(written_out("group!=web"), "-(tag:web OR hostname:web-*)");
}

TEST_F(HostGroups, LeaveAQueryWithoutThemAlone) {
  EXPECT_EQ(expand("tag:a (b OR c)").value(), parse_host_query("tag:a (b OR c)").value());
  EXPECT_FALSE(names_groups(parse_host_query("tag:group").value()));
  EXPECT_TRUE(names_groups(parse_host_query("a (b OR -group:c)").value()));
  EXPECT_TRUE(names_group(parse_host_query("a OR -group:c").value(), "c"));
  EXPECT_FALSE(names_group(parse_host_query("a OR -group:c").value(), "C"));
}

TEST_F(HostGroups, AreFoundByTheNameAsItIsSpelt) {
  groups = {{"Web servers", "tag:web"}, {"*", "tag:star"}};
  EXPECT_EQ(written_out("group:\"Web servers\""), "tag:web");
  EXPECT_EQ(written_out("group:\"*\""), "tag:star");
  EXPECT_EQ(refusal("group:\"web servers\""), "query: there is no group \"web servers\"");
  EXPECT_FALSE(parse_host_query("group:*").ok());
  EXPECT_FALSE(parse_host_query("group:\"\"").ok());
  EXPECT_FALSE(parse_host_query("group>a").ok());
}

TEST_F(HostGroups, AreWrittenAsTheyAreRead) {
  const HostQuery query = parse_host_query("group:\"Web (old)\" -group:b").value();
  EXPECT_EQ(format_host_query(query), "group:\"Web (old)\" -group:b");
  EXPECT_EQ(parse_host_query(format_host_query(query)).value(), query);
}

TEST_F(HostGroups, ThatArePartOfThemselvesAreRefused) {
  groups = {{"a", "group:b"}, {"b", "tag:x OR group:c"}, {"c", "-group:a"}, {"self", "group:self"}};
  EXPECT_EQ(refusal("group:a"), "query: the group \"a\" is part of itself");
  EXPECT_EQ(refusal("group:c"), "query: the group \"c\" is part of itself");
  EXPECT_EQ(refusal("group:self"), "query: the group \"self\" is part of itself");
  // Twice beside each other is not within itself.
  groups = {{"a", "group:b group:b"}, {"b", "tag:x"}};
  EXPECT_EQ(written_out("group:a"), "tag:x tag:x");
}

TEST_F(HostGroups, AreNestedSoDeepAndNoDeeper) {
  groups["g1"] = "tag:x";
  for (std::size_t i = 2; i <= limits::group_depth + 1; ++i) {
    groups["g" + std::to_string(i)] = "group:g" + std::to_string(i - 1);
  }
  EXPECT_EQ(written_out("group:g" + std::to_string(limits::group_depth)), "tag:x");
  EXPECT_EQ(refusal("group:g" + std::to_string(limits::group_depth + 1)),
            "query: has groups within more than 8 others");
}

TEST_F(HostGroups, CountWithTheTermsOfTheQuery) {
  std::string many;
  for (std::size_t i = 0; i < limits::query_terms - 1; ++i) many += "h ";
  groups = {{"many", many}, {"lookups", "cve:CVE-2024-1 kev:true severity:high openssl"}};
  EXPECT_TRUE(expand("group:many").ok());
  EXPECT_EQ(refusal("group:many web"), "query: has more than 200 terms with those of its groups");
  EXPECT_TRUE(expand("group:lookups group:lookups group:lookups").ok());
  EXPECT_EQ(refusal("group:lookups group:lookups group:lookups group:lookups group:lookups"
                    " group:lookups"),
            "query: has more than 16 terms about packages and findings with those of its groups");
}

TEST_F(HostGroups, OfNothingButNamesDoNotMultiply) {
  groups["g0"] = "";
  for (std::size_t i = 1; i < limits::group_depth; ++i) {
    std::string names;
    for (int n = 0; n < 100; ++n) names += "group:g" + std::to_string(i - 1) + " ";
    groups["g" + std::to_string(i)] = names;
  }
  EXPECT_EQ(refusal("group:g7"), "query: has more than 200 terms with those of its groups");
}

TEST_F(HostGroups, OfEveryHostAreEveryHost) {
  groups["all"] = "";
  EXPECT_EQ(expand("group:all").value(), HostQuery{});
  EXPECT_EQ(expand("-group:all").value().kind, HostQuery::Kind::none);
}

}  // namespace
}  // namespace muster::model
