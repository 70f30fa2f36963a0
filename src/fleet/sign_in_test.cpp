// SPDX-License-Identifier: Apache-2.0
#include "fleet/sign_in.h"

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "fleet/operators.h"
#include "fleet/testing.h"
#include "store/sql/audit.h"
#include "store/sql/orgs.h"

namespace muster::fleet {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class SignIn : public testing::Test {
 protected:
  CreatedOperator appoint(http::Role role, Duration ttl = Duration(0)) {
    return fleet->store.write([&](store::Tx& tx) {
      return create_operator(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.actor,
                             {"ada", role, ttl}, fleet.now);
    });
  }
  CreatedLink link_of(const CreatedOperator& person) { return try_link(person).value(); }
  Result<CreatedLink> try_link(const CreatedOperator& person) {
    return fleet->store.write([&](store::Tx& tx) {
      return create_sign_in_link(tx, fleet->ids, fleet.rng, fleet->credentials, person.id,
                                 fleet.now);
    });
  }
  Result<SignedIn> enter(const CreatedLink& link) {
    const auto proved = prove_sign_in_link(fleet->credentials, link.secret, fleet.now);
    if (!proved.ok()) return proved.error();
    return enter_unproved(link);
  }
  Result<SignedIn> enter_unproved(const CreatedLink& link) {
    return fleet->store.write([&](store::Tx& tx) {
      return sign_in(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.config, link.secret,
                     "192.0.2.1", fleet.now);
    });
  }
  std::optional<SessionCredential> use(const SignedIn& session) {
    return use_session(fleet->credentials, fleet.config, session.secret, fleet.now);
  }
  Result<SessionView> end(const SignedIn& session, const SessionEnder& ender) {
    return fleet->store.write([&](store::Tx& tx) {
      return end_session(tx, fleet->ids, fleet->credentials, ender, session.session.id, fleet.now);
    });
  }
  /// SOURCE ATTEMPTS of each row that tells of refused sign-ins, oldest first.
  std::vector<std::string> refusals() {
    std::vector<std::string> rows;
    for (const auto& row : fleet->store.read([](store::Reader& reader) {
           return store::list_audit(reader, {}, AuditId{number_id_max}, 100);
         })) {
      if (row.action != "sign_in.refused") continue;
      JsonDocument details;
      const Json attempts = details.parse(row.details).value().find("attempts").value();
      rows.insert(rows.begin(), row.target + " " + attempts.serialise());
    }
    return rows;
  }
  std::vector<std::string> audit_actions() {
    std::vector<std::string> actions;
    for (const auto& row : fleet->store.read([](store::Reader& reader) {
           return store::list_audit(reader, {}, AuditId{number_id_max}, 100);
         })) {
      actions.push_back(row.action);
    }
    return actions;
  }

  TestFleet fleet;
};

TEST_F(SignIn, ALinkIsGoodForOneSessionOfItsOperatorsRole) {
  const CreatedLink link = link_of(appoint(http::Role::analyst));
  const SignedIn session = enter(link).value();
  EXPECT_EQ(use(session)->role, http::Role::analyst);
  EXPECT_EQ(enter(link).error().code, Errc::invalid_credentials);
  // As if two had proved it at the same time.
  EXPECT_EQ(enter_unproved(link).error().code, Errc::invalid_credentials);
}

TEST_F(SignIn, ALinkIsGoodForFiveMinutes) {
  const CreatedOperator person = appoint(http::Role::analyst);
  const CreatedLink late = link_of(person);
  const CreatedLink in_time = link_of(person);
  fleet.now = fleet.now + minutes(5) - Duration(1);
  EXPECT_TRUE(enter(in_time).ok());
  fleet.now = fleet.now + Duration(1);
  EXPECT_FALSE(enter(late).ok());
  EXPECT_FALSE(enter_unproved(late).ok());
}

TEST_F(SignIn, ASessionEndsWhenItIsIdleAndAfterAWeekInAnyCase) {
  const CreatedOperator person = appoint(http::Role::analyst);
  const SignedIn idle = enter(link_of(person)).value();
  const SignedIn busy = enter(link_of(person)).value();
  for (int hour = 1; hour < 24 * 7; ++hour) {
    fleet.now = fleet.now + hours(1);
    ASSERT_TRUE(use(busy).has_value()) << hour;
  }
  EXPECT_FALSE(use(idle).has_value());
  fleet.now = fleet.now + hours(1);
  EXPECT_FALSE(use(busy).has_value());
}

TEST_F(SignIn, ASessionEndsWithItsOperatorsToken) {
  const SignedIn session = enter(link_of(appoint(http::Role::analyst, hours(2)))).value();
  fleet.now = fleet.now + hours(2) - Duration(1);
  EXPECT_TRUE(use(session).has_value());
  fleet.now = fleet.now + Duration(1);
  EXPECT_FALSE(use(session).has_value());
}

TEST_F(SignIn, RevokingAnOperatorEndsTokenSessionsAndLinks) {
  const CreatedOperator person = appoint(http::Role::analyst);
  const SignedIn session = enter(link_of(person)).value();
  const CreatedLink waiting = link_of(person);
  EXPECT_TRUE(fleet->store
                  .write([&](store::Tx& tx) {
                    return revoke_operator(tx, fleet->ids, fleet->credentials, fleet.actor,
                                           http::Role::owner, person.id, fleet.now);
                  })
                  .ok());
  EXPECT_FALSE(use(session).has_value());
  EXPECT_FALSE(enter(waiting).ok());
  EXPECT_FALSE(enter_unproved(waiting).ok());
  EXPECT_FALSE(fleet->credentials.operators.find(fleet->credentials.hash(person.token)));
}

TEST_F(SignIn, OthersSessionsAreForAdminsAndNotAboveThemselves) {
  const SignedIn session = enter(link_of(appoint(http::Role::owner))).value();
  const OperatorId other{1};
  EXPECT_EQ(end(session, {other, http::Role::operations}).error().code, Errc::not_found);
  EXPECT_EQ(end(session, {other, http::Role::admin}).error().code, Errc::insufficient_role);
  EXPECT_TRUE(use(session).has_value());
  EXPECT_TRUE(end(session, {other, http::Role::owner}).ok());
  EXPECT_FALSE(use(session).has_value());
}

TEST_F(SignIn, AnOperatorEndsItsOwnSessionAndTwiceIsOnce) {
  const CreatedOperator person = appoint(http::Role::read_only);
  const SignedIn session = enter(link_of(person)).value();
  EXPECT_TRUE(end(session, {person.id, http::Role::read_only}).ok());
  EXPECT_TRUE(end(session, {person.id, http::Role::read_only}).ok());
  EXPECT_EQ(audit_actions(),
            (std::vector<std::string>{"sign_out", "sign_in", "sign_in.link", "operators.create"}));
}

TEST_F(SignIn, LinksThatWaitAreBounded) {
  const CreatedOperator person = appoint(http::Role::analyst);
  for (std::size_t i = 0; i < limits::waiting_links; ++i) link_of(person);
  EXPECT_EQ(try_link(person).error().code, Errc::rate_limited);
  fleet.now = fleet.now + limits::sign_in_link_ttl;
  EXPECT_TRUE(try_link(person).ok());
}

TEST_F(SignIn, OneSessionTooManyEndsTheOldest) {
  const CreatedOperator person = appoint(http::Role::analyst);
  const SignedIn oldest = enter(link_of(person)).value();
  const SignedIn second = enter(link_of(person)).value();
  for (std::size_t i = 2; i < limits::operator_sessions; ++i) {
    ASSERT_TRUE(enter(link_of(person)).ok());
  }
  EXPECT_TRUE(use(oldest).has_value());
  ASSERT_TRUE(enter(link_of(person)).ok());
  EXPECT_FALSE(use(oldest).has_value());
  EXPECT_TRUE(use(second).has_value());
}

TEST_F(SignIn, UsesAreKeptSoThatARestartDoesNotSignOut) {
  const SignedIn session = enter(link_of(appoint(http::Role::analyst))).value();
  fleet.now = fleet.now + hours(7);
  ASSERT_TRUE(use(session).has_value());
  EXPECT_EQ(keep_sessions(fleet->store, fleet->credentials, fleet.now), 1U);
  EXPECT_EQ(keep_sessions(fleet->store, fleet->credentials, fleet.now), 0U);
  Credentials fresh(fleet->keyed_hash);
  fleet->store.read([&](store::Reader& reader) { fresh.load(reader, fleet.now); });
  fleet.now = fleet.now + hours(7);
  EXPECT_TRUE(use_session(fresh, fleet.config, session.secret, fleet.now).has_value());
}

TEST_F(SignIn, WhatHasExpiredLeavesMemory) {
  const SignedIn session = enter(link_of(appoint(http::Role::analyst))).value();
  fleet.now = fleet.now + hours(24 * 7);
  keep_sessions(fleet->store, fleet->credentials, fleet.now);
  EXPECT_FALSE(fleet->credentials.sessions.find(fleet->credentials.hash(session.secret)));
}

TEST_F(SignIn, RefusedOnesLeaveAnAuditRowForEachSource) {
  RefusedSignIns refused;
  EXPECT_EQ(refused.tell(fleet->store, fleet->ids, fleet.now), 0U);
  for (const char* address : {"192.0.2.1", "2001:db8::1", "192.0.2.1", "2001:db8::2"}) {
    refused.note(address, fleet.now);
  }
  EXPECT_EQ(refused.tell(fleet->store, fleet->ids, fleet.now), 2U);
  EXPECT_EQ(refused.tell(fleet->store, fleet->ids, fleet.now), 0U);
  EXPECT_EQ(refusals(), (std::vector<std::string>{"192.0.2.1 2", "2001:db8::/64 2"}));
}

TEST_F(SignIn, ASourceThatIsRefusedAgainAndAgainHasARowAnHour) {
  RefusedSignIns refused;
  const auto try_and_look = [&] {
    refused.note("192.0.2.1", fleet.now);
    return refused.tell(fleet->store, fleet->ids, fleet.now);
  };
  EXPECT_EQ(try_and_look(), 1U) << "at once";
  for (int i = 1; i < 60; ++i) {
    fleet.now = fleet.now + minutes(1);
    EXPECT_EQ(try_and_look(), 0U);
  }
  fleet.now = fleet.now + minutes(1);
  EXPECT_EQ(try_and_look(), 1U);
  refused.note("192.0.2.1", fleet.now);
  EXPECT_EQ(refused.tell_rest(fleet->store, fleet->ids, fleet.now), 1U) << "the server ends";
  EXPECT_EQ(refused.tell_rest(fleet->store, fleet->ids, fleet.now), 0U);
  EXPECT_EQ(refusals(), (std::vector<std::string>{"192.0.2.1 1", "192.0.2.1 60", "192.0.2.1 1"}));
  fleet.now = fleet.now + hours(1);
  EXPECT_EQ(refused.tell(fleet->store, fleet->ids, fleet.now), 0U);
  EXPECT_EQ(try_and_look(), 1U) << "at once, after an hour of silence";
}

TEST_F(SignIn, StrangersDoNotMakeTheAuditLogGrowHoweverManyAddressesTheyHave) {
  RefusedSignIns refused;
  std::size_t rows = 0;
  const Instant end = fleet.now + hours(2);
  for (int network = 0; fleet.now < end; fleet.now = fleet.now + minutes(1)) {
    for (std::size_t i = 0; i < 2 * limits::refused_sign_in_sources; ++i) {
      refused.note("2001:db8:" + std::to_string(network++) + "::1", fleet.now);
    }
    rows += refused.tell(fleet->store, fleet->ids, fleet.now);
  }
  EXPECT_GE(rows, limits::refused_sign_in_sources);
  EXPECT_LE(rows, 2 * (limits::refused_sign_in_sources + 1));
}

TEST_F(SignIn, NoSecretIsInTheAuditLog) {
  const CreatedOperator person = appoint(http::Role::analyst);
  const CreatedLink link = link_of(person);
  const SignedIn session = enter(link).value();
  for (const auto& row : fleet->store.read([](store::Reader& reader) {
         return store::list_audit(reader, {}, AuditId{number_id_max}, 100);
       })) {
    for (const std::string& secret : {person.token, link.secret, session.secret}) {
      EXPECT_EQ((row.target + row.details).find(secret), std::string::npos) << row.action;
    }
  }
}

}  // namespace
}  // namespace muster::fleet
