// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: operators' identities with a provider.
#include "store/sql/operator_identities.h"

#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::text;

using IdentityContract = testing::Contract;
ON_EVERY_DATABASE(IdentityContract);

auto fields(const OperatorIdentity& i) {
  return std::make_tuple(i.id, i.operator_id, i.issuer, i.subject, i.name, i.created_at, i.used_at);
}
bool same(const std::optional<OperatorIdentity>& found, const OperatorIdentity& expected) {
  return found && fields(*found) == fields(expected);
}

const std::string issuer = "https://id.example.org";
const OperatorIdentity ada{IdentityId{7}, OperatorId{1}, issuer,      "248289761001",
                           text,          now,           std::nullopt};
const OperatorIdentity ada_too{
    IdentityId{8}, OperatorId{1}, issuer, std::string(255, 's'), "ada", now, now + Duration(1)};
const OperatorIdentity bob{IdentityId{9}, OperatorId{2}, issuer + "/", "248289761001",
                           "bob",         now,           std::nullopt};

TEST_P(IdentityContract, AreFoundByIdBySubjectAndByOperator) {
  write([&](Tx& tx) {
    insert_identity(tx, ada_too);
    insert_identity(tx, ada);
    insert_identity(tx, bob);
  });
  read([&](Reader& r) {
    EXPECT_TRUE(same(find_identity(r, IdentityId{7}), ada));
    EXPECT_TRUE(same(find_identity(r, issuer, ada_too.subject), ada_too));
    EXPECT_TRUE(same(find_identity(r, issuer + "/", "248289761001"), bob))
        << "another issuer's subject is another person";
    EXPECT_FALSE(find_identity(r, IdentityId{1}));
    EXPECT_FALSE(find_identity(r, issuer, "24828976100"));
    EXPECT_FALSE(find_identity(r, "https://ID.example.org", "248289761001"));
    const auto mine = list_identities(r, OperatorId{1});
    EXPECT_EQ(mine.size(), 2U);
    EXPECT_TRUE(same(mine.front(), ada)) << "the older first";
    EXPECT_TRUE(list_identities(r, OperatorId{3}).empty());
    return 0;
  });
}

TEST_P(IdentityContract, NoTwoHaveOneSubjectOfOneIssuer) {
  write([&](Tx& tx) { insert_identity(tx, ada); });
  OperatorIdentity again = ada;
  again.id = IdentityId{99};
  again.operator_id = OperatorId{2};
  EXPECT_THROW(write([&](Tx& tx) { insert_identity(tx, again); }), StoreError);
}

TEST_P(IdentityContract, AreUsedAndForgotten) {
  write([&](Tx& tx) {
    insert_identity(tx, ada);
    insert_identity(tx, ada_too);
    insert_identity(tx, bob);
    set_identity_used(tx, ada.id, now + Duration(5));
    delete_identity(tx, ada_too.id);
    delete_identities(tx, OperatorId{2});
  });
  read([&](Reader& r) {
    EXPECT_EQ(find_identity(r, ada.id)->used_at, now + Duration(5));
    EXPECT_FALSE(find_identity(r, ada_too.id));
    EXPECT_FALSE(find_identity(r, bob.id));
    return 0;
  });
}

}  // namespace
}  // namespace muster::store
