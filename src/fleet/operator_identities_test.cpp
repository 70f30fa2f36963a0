// SPDX-License-Identifier: Apache-2.0
#include "fleet/operator_identities.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "crypto/passkey_testing.h"
#include "fleet/passkeys.h"
#include "fleet/passwords.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

const ProvedIdentity ada_there{"https://id.example.org", "248289761001", "ada@example.org"};
const ProvedIdentity bob_there{"https://id.example.org", "248289761002", "bob@example.org"};

struct Identities : testing::Test {
  TestFleet fleet;
  OperatorId ada = fleet.appoint("ada");
  OperatorId bob = fleet.appoint("bob");

  OidcTrip trip(OperatorId links = {}) {
    return begin_oidc_trip(fleet->credentials, fleet.rng, links, fleet.now);
  }
  Result<OidcTrip> back(const OidcTrip& from, std::string_view state, OperatorId links = {}) {
    return end_oidc_trip(fleet->credentials, from.challenge.sealed, state, links,
                         Errc::invalid_credentials, fleet.now);
  }
  Result<store::OperatorIdentity> link(OperatorId id, const ProvedIdentity& proved,
                                       const OidcTrip& with) {
    return fleet->store.write([&](store::Tx& tx) {
      return link_identity(tx, fleet->ids, fleet->credentials, Actor::operator_token(id), id, with,
                           proved, fleet.now);
    });
  }
  Result<store::OperatorIdentity> link(OperatorId id, const ProvedIdentity& proved) {
    return link(id, proved, trip(id));
  }
  Result<SignedIn> sign_in(const ProvedIdentity& proved, const OidcTrip& with) {
    return fleet->store.write([&](store::Tx& tx) {
      return sign_in_with_identity(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.config,
                                   with, proved, "192.0.2.1", fleet.now);
    });
  }
  Result<SignedIn> sign_in(const ProvedIdentity& proved) { return sign_in(proved, trip()); }
  Result<store::OperatorIdentity> unlink(IdentityId id, const OperatorAsker& asker) {
    return fleet->store.write([&](store::Tx& tx) {
      return unlink_identity(tx, fleet->ids, fleet->credentials, asker, id, fleet.now);
    });
  }
  void set_password_of(OperatorId id) {
    fleet->store.write([&](store::Tx& tx) {
      set_password(tx, fleet->ids, fleet->credentials, fleet.actor, id, "no hash", fleet.now)
          .value();
    });
  }
  PasskeyId add_passkey_of(OperatorId id) {
    const crypto::TestPasskey key;
    const auto offer =
        offer_passkey(fleet->store, fleet->credentials, fleet.rng, id, fleet.now).value();
    const auto made = prove_new_passkey(fleet->credentials, {"muster.example.org", key.origin}, id,
                                        {"key", offer.challenge.sealed,
                                         key.client_data("webauthn.create", offer.challenge.octets),
                                         key.attestation_object()},
                                        fleet.now)
                          .value();
    return fleet->store
        .write([&](store::Tx& tx) {
          return add_passkey(tx, fleet->ids, fleet->credentials, fleet.actor, made, fleet.now);
        })
        .value()
        .id;
  }
  Result<store::Passkey> remove_passkey_of(PasskeyId id, const OperatorAsker& asker) {
    return fleet->store.write([&](store::Tx& tx) {
      return remove_passkey(tx, fleet->ids, fleet->credentials, asker, id, fleet.now);
    });
  }
  bool is_open(const SignedIn& session) {
    return use_session(fleet->credentials, fleet.config, session.secret, fleet.now).has_value();
  }
  std::int64_t audited(std::string_view action) {
    return fleet->store.read([&](store::Reader& reader) {
      store::Rows rows = reader.query("SELECT count(*) FROM audit WHERE action = $1", action);
      rows.next();
      return rows.integer(0);
    });
  }
};

TEST_F(Identities, SignInTheOperatorWhoLinkedThem) {
  link(ada, ada_there).value();
  const auto signed_in = sign_in(ada_there).value();
  EXPECT_EQ(signed_in.operator_name, "ada");
  EXPECT_TRUE(is_open(signed_in));
  const auto listed = list_identities(fleet->store, {ada, http::Role::none, {}}, ada).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed.front().name, "ada@example.org");
  EXPECT_EQ(listed.front().used_at, fleet.now);
  EXPECT_EQ(audited("identity.link"), 1);
  EXPECT_EQ(audited("sign_in"), 1);
}

TEST_F(Identities, NobodyIsTakenByNameOrAddress) {
  link(ada, ada_there).value();
  for (const ProvedIdentity& other :
       {bob_there, ProvedIdentity{ada_there.issuer, "ada", "ada"},
        ProvedIdentity{ada_there.issuer, "1", "ada@example.org"},
        ProvedIdentity{"https://other.example.org", ada_there.subject, ada_there.name}}) {
    EXPECT_EQ(sign_in(other).error().code, Errc::invalid_credentials);
  }
  EXPECT_EQ(fleet.count("SELECT count(*) FROM sessions"), 0);
}

TEST_F(Identities, ATripIsOfItsBrowserAndOfItsPurpose) {
  const OidcTrip mine = trip(), other = trip(), link_of_ada = trip(ada);
  EXPECT_TRUE(back(mine, mine.terms.state).ok());
  EXPECT_EQ(back(mine, mine.terms.state)->terms.verifier, mine.terms.verifier);
  EXPECT_FALSE(back(mine, other.terms.state).ok()) << "somebody else's code is pushed on one";
  EXPECT_FALSE(back(mine, "").ok());
  EXPECT_FALSE(back(link_of_ada, link_of_ada.terms.state).ok());
  EXPECT_FALSE(back(link_of_ada, link_of_ada.terms.state, bob).ok());
  EXPECT_TRUE(back(link_of_ada, link_of_ada.terms.state, ada).ok());
  EXPECT_FALSE(back(mine, mine.terms.state, ada).ok());
  OidcTrip changed = mine;
  changed.challenge.sealed.back() ^= 1;
  EXPECT_FALSE(back(changed, mine.terms.state).ok());
  changed.challenge.sealed.clear();
  EXPECT_FALSE(back(changed, mine.terms.state).ok());
  const auto passkey = create_passkey_challenge(fleet->credentials, fleet.rng, fleet.now);
  changed.challenge.sealed = passkey.sealed;
  EXPECT_FALSE(back(changed, mine.terms.state).ok()) << "a challenge of a passkey";
}

TEST_F(Identities, ATripsTermsAreItsOwnAndTellNothingOfOneAnother) {
  const OidcTrip one = trip(), other = trip();
  for (const std::string& term : {one.terms.state, one.terms.nonce, one.terms.verifier}) {
    EXPECT_EQ(term.size(), 43U) << "RFC 7636 4.1";
    EXPECT_NE(term, crypto::to_base64url(one.challenge.octets));
  }
  EXPECT_NE(one.terms.state, one.terms.nonce);
  EXPECT_NE(one.terms.nonce, one.terms.verifier);
  EXPECT_NE(one.terms.state, other.terms.state);
  EXPECT_NE(one.terms.verifier, other.terms.verifier);
}

TEST_F(Identities, ATripLastsTenMinutesAndIsGoodOnce) {
  link(ada, ada_there).value();
  const OidcTrip mine = trip();
  const Instant began = fleet.now;
  fleet.now = began + limits::oidc_request_ttl - Duration(1);
  const auto returned = back(mine, mine.terms.state).value();
  EXPECT_TRUE(sign_in(ada_there, returned).ok());
  EXPECT_EQ(sign_in(ada_there, returned).error().code, Errc::invalid_credentials);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM sessions"), 1);
  fleet.now = began + limits::oidc_request_ttl;
  EXPECT_FALSE(back(mine, mine.terms.state).ok());
  const OidcTrip again = trip(ada);
  EXPECT_TRUE(link(ada, bob_there, again).ok());
  EXPECT_EQ(link(ada, ada_there, again).error().code, Errc::illegal_transition);
}

TEST_F(Identities, AnotherServerOnTheDatabaseTakesTheTrip) {
  link(ada, ada_there).value();
  const OidcTrip mine = trip();
  fleet.reopen();  // nothing of it was in memory
  EXPECT_TRUE(sign_in(ada_there, back(mine, mine.terms.state).value()).ok());
}

TEST_F(Identities, OneIsOfOneOperator) {
  const auto first = link(ada, ada_there).value();
  EXPECT_EQ(link(bob, ada_there).error().code, Errc::illegal_transition);
  EXPECT_EQ(link(ada, ada_there).value().id, first.id) << "a repeat";
  EXPECT_EQ(audited("identity.link"), 1);
  EXPECT_EQ(sign_in(ada_there)->operator_name, "ada");
}

TEST_F(Identities, HaveABound) {
  for (std::size_t i = 0; i < limits::operator_identities; ++i) {
    link(ada, {ada_there.issuer, std::to_string(i), "ada"}).value();
  }
  EXPECT_EQ(link(ada, ada_there).error().code, Errc::illegal_transition);
  EXPECT_TRUE(link(bob, bob_there).ok());
}

TEST_F(Identities, AreUnlinkedWithTheOtherSessions) {
  const IdentityId id = link(ada, ada_there).value().id;
  set_password_of(ada);
  const SignedIn asks = sign_in(ada_there).value(), lost = sign_in(ada_there).value();
  const OperatorAsker asker{ada, http::Role::analyst, asks.session.id};
  EXPECT_EQ(unlink(id, asker).value().subject, ada_there.subject);
  EXPECT_TRUE(is_open(asks));
  EXPECT_FALSE(is_open(lost));
  EXPECT_FALSE(sign_in(ada_there).ok());
  EXPECT_EQ(unlink(id, asker).error().code, Errc::not_found);
  EXPECT_EQ(audited("identity.unlink"), 1);
  EXPECT_TRUE(link(bob, ada_there).ok()) << "the account is free for another";
}

TEST_F(Identities, OthersAreForAdministratorsOfNoLowerRole) {
  const OperatorId eve = fleet.appoint("eve", http::Role::owner);
  const IdentityId of_eve = link(eve, bob_there).value().id;
  const IdentityId of_ada = link(ada, ada_there).value().id;
  const OperatorAsker analyst{bob, http::Role::analyst, {}};
  const OperatorAsker admin{bob, http::Role::admin, SessionId{7}};
  EXPECT_EQ(unlink(of_ada, analyst).error().code, Errc::not_found);
  EXPECT_EQ(unlink(of_eve, admin).error().code, Errc::insufficient_role);
  EXPECT_EQ(list_identities(fleet->store, analyst, ada).error().code, Errc::not_found);
  EXPECT_EQ(list_identities(fleet->store, admin, eve).error().code, Errc::insufficient_role);
  EXPECT_EQ(list_identities(fleet->store, admin, ada).value().size(), 1U);
  EXPECT_TRUE(unlink(of_ada, admin).ok()) << "the last one, of another: who left must be kept out";
}

TEST_F(Identities, OnesLastWayInStays) {
  const IdentityId id = link(ada, ada_there).value().id;
  const OperatorAsker in_session{ada, http::Role::analyst, SessionId{7}};
  EXPECT_EQ(unlink(id, in_session).error().code, Errc::illegal_transition);
  const PasskeyId passkey = add_passkey_of(ada);
  EXPECT_TRUE(unlink(id, in_session).ok()) << "a passkey is left";
  EXPECT_EQ(remove_passkey_of(passkey, in_session).error().code, Errc::illegal_transition);
  const IdentityId again = link(ada, ada_there).value().id;
  EXPECT_TRUE(remove_passkey_of(passkey, in_session).ok()) << "an identity is left";
  EXPECT_EQ(unlink(again, in_session).error().code, Errc::illegal_transition);
  set_password_of(ada);
  EXPECT_TRUE(unlink(again, in_session).ok()) << "a password is left";
  EXPECT_TRUE(unlink(link(bob, bob_there).value().id, {bob, http::Role::analyst, {}}).ok())
      << "the token is left";
}

TEST_F(Identities, GoWithTheOperator) {
  link(ada, ada_there).value();
  const OidcTrip late = trip(ada);
  fleet->store.write([&](store::Tx& tx) {
    revoke_operator(tx, fleet->ids, fleet->credentials, fleet.actor, http::Role::owner, ada,
                    fleet.now)
        .value();
  });
  EXPECT_FALSE(sign_in(ada_there).ok());
  EXPECT_EQ(link(ada, bob_there, late).error().code, Errc::not_found);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM operator_identities"), 0);
}

TEST_F(Identities, OfAnOperatorWhoseTokenIsOverOpenNothing) {
  const OperatorId brief = fleet.appoint("brief", http::Role::analyst, std::chrono::hours(1));
  link(brief, ada_there).value();
  EXPECT_TRUE(sign_in(ada_there).ok());
  fleet.now = fleet.now + std::chrono::hours(1);
  EXPECT_EQ(sign_in(ada_there).error().code, Errc::invalid_credentials);
}

}  // namespace
}  // namespace muster::fleet
