// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: roles of operators in organisations.
#include "store/sql/operator_grants.h"

#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

using GrantContract = testing::Contract;
ON_EVERY_DATABASE(GrantContract);

bool same(const OperatorGrant& found, const OperatorGrant& expected) {
  return found.org == expected.org && found.operator_id == expected.operator_id &&
         found.role == expected.role && found.granted_at == expected.granted_at &&
         found.granted_by == expected.granted_by;
}

TEST_P(GrantContract, AnOperatorHasOneInEachOrganisation) {
  const OperatorGrant first{org, OperatorId{1}, "analyst", now, text};
  const OperatorGrant elsewhere{other_org, OperatorId{1}, "admin", now, "operator:9"};
  const OperatorGrant others{org, OperatorId{2}, "owner", now, "server"};
  const OperatorGrant raised{org, OperatorId{1}, "operator", now + Duration(1), "operator:2"};
  write([&](Tx& tx) {
    for (const OperatorGrant& grant : {others, elsewhere, first, raised}) {
      set_operator_grant(tx, grant);
    }
  });
  read([&](Reader& reader) {
    const auto all = list_operator_grants(reader);
    ASSERT_EQ(all.size(), 3U) << "what is granted again replaces";
    const bool in_order = org < other_org;
    EXPECT_TRUE(same(all[in_order ? 0 : 1], raised));
    EXPECT_TRUE(same(all[in_order ? 1 : 0], elsewhere));
    EXPECT_TRUE(same(all[2], others));
    EXPECT_EQ(list_grants_of_operator(reader, OperatorId{1}).size(), 2U);
    EXPECT_TRUE(list_grants_of_operator(reader, OperatorId{3}).empty());
    const auto found = find_operator_grant(reader, org, OperatorId{1});
    ASSERT_TRUE(found);
    EXPECT_TRUE(same(*found, raised));
    EXPECT_FALSE(find_operator_grant(reader, other_org, OperatorId{2}));
  });
}

TEST_P(GrantContract, AreDeletedOnceAndWhereTheyAre) {
  write([&](Tx& tx) {
    set_operator_grant(tx, {org, OperatorId{1}, "analyst", now, "server"});
    set_operator_grant(tx, {other_org, OperatorId{1}, "analyst", now, "server"});
  });
  write([&](Tx& tx) {
    EXPECT_FALSE(delete_operator_grant(tx, org, OperatorId{2}));
    EXPECT_TRUE(delete_operator_grant(tx, org, OperatorId{1}));
    EXPECT_FALSE(delete_operator_grant(tx, org, OperatorId{1}));
  });
  const auto left =
      read([](Reader& reader) { return list_grants_of_operator(reader, OperatorId{1}); });
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].org, other_org);
}

}  // namespace
}  // namespace muster::store
