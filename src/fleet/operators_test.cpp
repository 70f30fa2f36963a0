// SPDX-License-Identifier: Apache-2.0
#include "fleet/operators.h"

#include <gtest/gtest.h>

#include "fleet/orgs.h"
#include "fleet/testing.h"
#include "store/sql/audit.h"

namespace muster::fleet {
namespace {

using http::Authority;
using http::Role;

class Grants : public testing::Test {
 protected:
  Grants() {
    other = fleet->store
                .write([&](store::Tx& tx) {
                  return create_org(tx, fleet->ids, fleet.actor, "other", fleet.now);
                })
                .value()
                .id;
  }

  OperatorId appoint(Role role, std::optional<OrgId> where = std::nullopt,
                     Duration ttl = Duration(0)) {
    return fleet.appoint("ada", role, ttl, where);
  }
  Authority authority_of(OperatorId id) {
    const auto view = find_operator(fleet->store, id).value();
    return {role_on_server(view.token).value(), fleet->credentials.grants.of(id)};
  }
  Result<store::OperatorGrant> grant(const Authority& authority, OperatorId id, OrgId where,
                                     Role role) {
    return fleet->store.write([&](store::Tx& tx) {
      return grant_role(tx, fleet->ids, fleet->credentials, fleet.actor, authority,
                        {id, where, role}, fleet.now);
    });
  }
  Result<store::OperatorGrant> take_back(const Authority& authority, OperatorId id, OrgId where) {
    return fleet->store.write([&](store::Tx& tx) {
      return revoke_grant(tx, fleet->ids, fleet->credentials, fleet.actor, authority, id, where,
                          fleet.now);
    });
  }
  Result<OperatorView> revoke(const Authority& authority, OperatorId id) {
    return fleet->store.write([&](store::Tx& tx) {
      return revoke_operator(tx, fleet->ids, fleet->credentials, fleet.actor, authority, id,
                             fleet.now);
    });
  }
  std::vector<std::string> audit_of(OrgId of) {
    std::vector<std::string> rows;
    store::AuditFilter filter;
    filter.org = of;
    for (const auto& row : fleet->store.read([&](store::Reader& reader) {
           return store::list_audit(reader, filter, AuditId{number_id_max}, 100);
         })) {
      rows.push_back(row.action + " " + row.details);
    }
    return rows;
  }

  TestFleet fleet;
  const OrgId org = TestFleet::org;
  OrgId other;
};

TEST_F(Grants, NobodyGivesOrTakesMoreThanTheyAreThemselvesThere) {
  // All pairs: who asks, and what is asked for, with every former role.
  for (const Role own : {Role::admin, Role::owner}) {
    for (const Role former : http::roles) {
      for (const Role wanted : http::roles) {
        const OperatorId id = appoint(former, org);
        const OperatorId asker = appoint(own, org);
        const auto granted = grant(authority_of(asker), id, org, wanted);
        EXPECT_EQ(granted.ok(), former <= own && wanted <= own)
            << http::role_name(own) << " " << http::role_name(former) << " "
            << http::role_name(wanted);
        const Role now = granted.ok() ? wanted : former;
        EXPECT_EQ(authority_of(id).in(org), now);
        EXPECT_EQ(take_back(authority_of(asker), id, org).ok(), now <= own);
        EXPECT_EQ(authority_of(id).in(org), now <= own ? Role::none : now);
      }
    }
  }
}

TEST_F(Grants, ARoleInOneOrganisationIsNoneInAnother) {
  const OperatorId id = appoint(Role::owner, org);
  const Authority authority = authority_of(id);
  EXPECT_EQ(authority.on_server, Role::none);
  EXPECT_EQ(authority.in(org), Role::owner);
  EXPECT_EQ(authority.in(other), Role::none);
  EXPECT_EQ(authority.highest(), Role::owner);
  EXPECT_EQ(authority.orgs_with(Role::admin), std::vector<OrgId>{org});
  const Authority both{Role::analyst, authority.in_orgs};
  EXPECT_EQ(both.in(org), Role::owner);
  EXPECT_EQ(both.in(other), Role::analyst);
  EXPECT_EQ(both.orgs_with(Role::read_only), std::vector<OrgId>{org})
      << "a role on the server is in no list";
}

TEST_F(Grants, WhoIsNothingInOnesOrganisationIsNotThere) {
  appoint(Role::owner);
  const Authority admin = authority_of(appoint(Role::admin, org));
  const OperatorId stranger = appoint(Role::read_only, other);
  const OperatorId of_server = appoint(Role::read_only);
  for (const OperatorId id : {stranger, of_server, OperatorId{4711}}) {
    EXPECT_EQ(grant(admin, id, org, Role::read_only).error().code, Errc::not_found);
    EXPECT_EQ(revoke(admin, id).error().code, Errc::not_found);
  }
  std::vector<OperatorId> listed;
  for (const auto& view : list_operators(fleet->store, admin, std::nullopt)) {
    listed.push_back(view.token.id);
    for (const auto& each : view.grants) EXPECT_EQ(each.org, org);
  }
  EXPECT_EQ(listed.size(), 1U) << "itself";
  // An administrator of the whole server joins both.
  ASSERT_TRUE(grant(Role::admin, stranger, org, Role::analyst).ok());
  EXPECT_TRUE(grant(admin, stranger, org, Role::operations).ok()) << "now it is known here";
  EXPECT_EQ(revoke(admin, stranger).error().code, Errc::insufficient_role)
      << "what it is elsewhere is not this one's to end";
  EXPECT_EQ(list_operators(fleet->store, admin, std::nullopt).size(), 2U);
  EXPECT_EQ(list_operators(fleet->store, Role::admin, std::nullopt).size(), 4U);
  EXPECT_EQ(list_operators(fleet->store, Role::admin, other).size(), 1U);
}

TEST_F(Grants, EachChangeIsARowInTheChainOfItsOrganisation) {
  appoint(Role::owner);
  const OperatorId id = appoint(Role::analyst, org);
  ASSERT_TRUE(grant(Role::owner, id, other, Role::admin).ok());
  ASSERT_TRUE(grant(Role::owner, id, other, Role::admin).ok()) << "a repeat";
  ASSERT_TRUE(grant(Role::owner, id, other, Role::read_only).ok());
  ASSERT_TRUE(take_back(Role::owner, id, other).ok());
  EXPECT_EQ(take_back(Role::owner, id, other).error().code, Errc::not_found);
  EXPECT_EQ(audit_of(other),
            (std::vector<std::string>{
                R"(operators.revoke_grant {"name": "ada", "former_role": "read_only"})",
                R"(operators.grant {"name": "ada", "role": "read_only", "former_role": "admin"})",
                R"(operators.grant {"name": "ada", "role": "admin"})",
                R"(orgs.create {"name": "other"})"}));
  ASSERT_TRUE(revoke(Role::owner, id).ok());
  EXPECT_EQ(audit_of(org),
            (std::vector<std::string>{R"(operators.revoke {"name": "ada"})",
                                      R"(operators.create {"name": "ada", "role": "analyst"})"}));
}

TEST_F(Grants, TheLastOwnerOfTheServerStays) {
  const OperatorId first = appoint(Role::owner);
  const OperatorId second = appoint(Role::owner, std::nullopt, std::chrono::hours(1));
  appoint(Role::owner, org);
  fleet.now = fleet.now + std::chrono::hours(1);
  EXPECT_EQ(revoke(Role::owner, first).error().code, Errc::illegal_transition)
      << "the other's token is over, and an organisation's owner is none of the server";
  EXPECT_TRUE(revoke(Role::owner, second).ok());
  const OperatorId third = appoint(Role::owner);
  EXPECT_TRUE(revoke(Role::owner, first).ok());
  EXPECT_EQ(revoke(Role::owner, third).error().code, Errc::illegal_transition);
}

TEST_F(Grants, TheLastOwnerOfAnOrganisationStaysWhereTheServerHasNone) {
  const OperatorId id = appoint(Role::owner, org);
  for (const Role lower : {Role::read_only, Role::admin}) {
    EXPECT_EQ(grant(authority_of(id), id, org, lower).error().code, Errc::illegal_transition);
  }
  EXPECT_EQ(take_back(authority_of(id), id, org).error().code, Errc::illegal_transition);
  EXPECT_EQ(revoke(Role::owner, id).error().code, Errc::illegal_transition);
  EXPECT_EQ(authority_of(id).in(org), Role::owner);
  appoint(Role::owner);
  EXPECT_TRUE(take_back(authority_of(id), id, org).ok()) << "the server's owner is one here";
}

TEST_F(Grants, WhoseTokenHasEndedIsGrantedNothing) {
  appoint(Role::owner);
  const OperatorId late = appoint(Role::analyst, org, std::chrono::hours(1));
  const OperatorId gone = appoint(Role::analyst, org);
  ASSERT_TRUE(revoke(Role::owner, gone).ok());
  fleet.now = fleet.now + std::chrono::hours(1);
  for (const OperatorId id : {late, gone}) {
    EXPECT_EQ(grant(Role::owner, id, other, Role::analyst).error().code, Errc::illegal_transition);
  }
}

TEST_F(Grants, ARestartKnowsWhatWasGranted) {
  const OperatorId id = appoint(Role::analyst, org);
  ASSERT_TRUE(grant(Role::owner, id, other, Role::admin).ok());
  fleet.reopen();
  EXPECT_EQ(authority_of(id).in(org), Role::analyst);
  EXPECT_EQ(authority_of(id).in(other), Role::admin);
}

TEST_F(Grants, ATokenIsRenewedAlsoWhenItIsOver) {
  const Duration day = std::chrono::hours(24);
  const OperatorId id = appoint(Role::operations, org, day);
  const auto renew = [&](const Authority& authority, Duration ttl) {
    return fleet->store.write([&](store::Tx& tx) {
      return renew_operator(tx, fleet->ids, fleet->credentials, fleet.actor, authority, id, ttl,
                            fleet.now);
    });
  };
  EXPECT_EQ(renew(Authority(Role::operations), day).error().code, Errc::not_found);
  fleet.now = fleet.now + 2 * day;
  const auto renewed = renew(Role::owner, day);
  ASSERT_TRUE(renewed.ok());
  EXPECT_EQ(renewed->token.expires_at, fleet.now + day);
  EXPECT_TRUE(is_active(find_operator(fleet->store, id)->token, fleet.now));
  EXPECT_EQ(fleet->credentials.operators.find(renewed->token.hash)->expires_at, fleet.now + day);
  EXPECT_EQ(renew(Role::owner, Duration(0))->token.expires_at, std::nullopt) << "it never ends";
  EXPECT_NE(audit_of(org).front().find("operators.renew"), std::string::npos);

  ASSERT_TRUE(revoke(Role::owner, id).ok());
  EXPECT_EQ(renew(Role::owner, day).error().code, Errc::illegal_transition);
  EXPECT_FALSE(fleet->credentials.operators.find(renewed->token.hash).has_value());
}

TEST_F(Grants, ANameIsTakenWhileItsOperatorsTokenIsGood) {
  const Duration day = std::chrono::hours(24);
  const auto check = [&](std::string_view name) {
    return fleet->store.read(
        [&](store::Reader& reader) { return check_operator_name(reader, name, fleet.now); });
  };
  EXPECT_TRUE(check("ada").ok());
  const OperatorId id = appoint(Role::analyst, std::nullopt, day);
  EXPECT_EQ(check("ada").error().code, Errc::name_taken);
  EXPECT_EQ(check("ada").error().field, "name");
  EXPECT_TRUE(check("adam").ok());
  fleet.now = fleet.now + day;
  EXPECT_TRUE(check("ada").ok()) << "it is over";
  appoint(Role::analyst);
  const auto renewed = fleet->store.write([&](store::Tx& tx) {
    return renew_operator(tx, fleet->ids, fleet->credentials, fleet.actor, Role::owner, id, day,
                          fleet.now);
  });
  EXPECT_EQ(renewed.error().code, Errc::name_taken) << "another has it now";
}

}  // namespace
}  // namespace muster::fleet
