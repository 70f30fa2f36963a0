// SPDX-License-Identifier: Apache-2.0
#include "fleet/passkeys.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "crypto/passkey_testing.h"
#include "crypto/password.h"
#include "fleet/operators.h"
#include "fleet/passwords.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using crypto::TestPasskey;

const crypto::RelyingParty party{"muster.example.org", "https://muster.example.org"};

struct Passkeys : testing::Test {
  TestFleet fleet;
  OperatorId ada = fleet.appoint("ada");

  PasskeyOffer offer(OperatorId id) {
    return offer_passkey(fleet->store, fleet->credentials, fleet.rng, id, fleet.now).value();
  }
  PresentedPasskey present(const TestPasskey& passkey, const Challenge& challenge) {
    return {"key", challenge.sealed, passkey.client_data("webauthn.create", challenge.octets),
            passkey.attestation_object()};
  }
  Result<NewPasskey> prove_new(OperatorId id, const PresentedPasskey& presented) {
    return prove_new_passkey(fleet->credentials, party, id, presented, fleet.now);
  }
  Result<store::Passkey> add(const NewPasskey& made) {
    return fleet->store.write([&](store::Tx& tx) {
      return add_passkey(tx, fleet->ids, fleet->credentials,
                         Actor::operator_token(made.passkey.operator_id), made, fleet.now);
    });
  }
  store::Passkey add(OperatorId id, const TestPasskey& passkey) {
    return add(prove_new(id, present(passkey, offer(id).challenge)).value()).value();
  }

  Challenge challenge() {
    return create_passkey_challenge(fleet->credentials, fleet.rng, fleet.now);
  }
  PresentedAssertion assertion(const TestPasskey& passkey, const Challenge& challenge,
                               OperatorId user) {
    PresentedAssertion presented;
    presented.sealed_challenge = challenge.sealed;
    presented.credential_id = passkey.id;
    presented.user_handle = offer(user).user_handle;
    presented.client_data = passkey.client_data("webauthn.get", challenge.octets);
    presented.authenticator_data = passkey.authenticator_data();
    presented.signature = passkey.sign(presented.authenticator_data, presented.client_data);
    return presented;
  }
  Result<ProvedPasskey> prove(const PresentedAssertion& presented) {
    return prove_passkey(fleet->store, fleet->credentials, party, presented, fleet.now);
  }
  Result<std::optional<SignedIn>> enter(const ProvedPasskey& proved) {
    return fleet->store.write([&](store::Tx& tx) {
      return sign_in_with_passkey(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.config,
                                  proved, "192.0.2.1", fleet.now);
    });
  }
  /// With a fresh challenge, all the way.
  Result<std::optional<SignedIn>> sign_in(const TestPasskey& passkey, OperatorId user) {
    const auto proved = prove(assertion(passkey, challenge(), user));
    if (!proved.ok()) return proved.error();
    return enter(*proved);
  }
  bool signs_in(const TestPasskey& passkey, OperatorId user) {
    const auto entered = sign_in(passkey, user);
    return entered.ok() && entered->has_value();
  }
  Result<store::Passkey> remove(PasskeyId id, const OperatorAsker& asker) {
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

TEST_F(Passkeys, SignInWithoutANameAndWithoutAnotherFactor) {
  const TestPasskey key;
  add(ada, key);
  // A second factor is of the password; this stands for both.
  fleet->store.write([&](store::Tx& tx) {
    set_password(tx, fleet->ids, fleet->credentials, fleet.actor, ada, "no hash", fleet.now)
        .value();
  });
  const auto signed_in = sign_in(key, ada).value().value();
  EXPECT_EQ(signed_in.operator_name, "ada");
  EXPECT_EQ(signed_in.role, http::Role::analyst);
  const auto session = use_session(fleet->credentials, fleet.config, signed_in.secret, fleet.now);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->operator_id, ada);
  EXPECT_EQ(audited("passkey.add"), 1);
  EXPECT_EQ(audited("sign_in"), 1);
}

TEST_F(Passkeys, AChallengeIsGoodOnce) {
  const TestPasskey key;
  add(ada, key);
  const auto presented = assertion(key, challenge(), ada);
  const auto proved = prove(presented).value();
  EXPECT_TRUE(enter(proved).value());
  EXPECT_EQ(enter(proved).error().code, Errc::invalid_credentials);
  EXPECT_EQ(enter(prove(presented).value()).error().code, Errc::invalid_credentials);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM sessions"), 1);
}

TEST_F(Passkeys, AChallengeIsGoodForFiveMinutes) {
  const TestPasskey key;
  add(ada, key);
  const auto presented = assertion(key, challenge(), ada);
  const Instant made_at = fleet.now;
  fleet.now = made_at + limits::passkey_challenge_ttl - Duration(1);
  EXPECT_TRUE(prove(presented).ok());
  fleet.now = made_at + limits::passkey_challenge_ttl;
  EXPECT_EQ(prove(presented).error().code, Errc::invalid_credentials);
}

TEST_F(Passkeys, AChallengeIsOfItsBrowserAndOfItsPurpose) {
  const TestPasskey key;
  add(ada, key);
  auto presented = assertion(key, challenge(), ada);
  for (const std::string& other :
       {std::string(), std::string("no seal"), challenge().sealed, offer(ada).challenge.sealed}) {
    presented.sealed_challenge = other;
    EXPECT_FALSE(prove(presented).ok());
  }
  const OperatorId bob = fleet.appoint("bob");
  for (const Challenge& other : {challenge(), offer(bob).challenge}) {
    EXPECT_EQ(prove_new(ada, present(TestPasskey(2), other)).error().code,
              Errc::illegal_transition);
  }
  auto changed = present(TestPasskey(2), offer(ada).challenge);
  ASSERT_TRUE(prove_new(ada, changed).ok());
  changed.sealed_challenge.back() ^= 1;
  EXPECT_FALSE(prove_new(ada, changed).ok());
}

TEST_F(Passkeys, AnotherServerOnTheDatabaseTakesTheAnswerOnce) {
  const TestPasskey key;
  add(ada, key);
  const auto presented = assertion(key, challenge(), ada);
  fleet.reopen();  // nothing of the challenge was in memory
  const auto proved = prove(presented).value();
  EXPECT_TRUE(enter(proved).value());
  fleet.reopen();
  EXPECT_FALSE(enter(proved).ok());
}

TEST_F(Passkeys, WhatIsNotOfThisServerIsRefusedByName) {
  TestPasskey key;
  add(ada, key);
  const auto field = [&](const PresentedAssertion& presented) {
    const auto proved = prove(presented);
    EXPECT_FALSE(proved.ok());
    if (proved.ok()) return std::string("it was taken");
    EXPECT_EQ(proved.error().code, Errc::invalid_field);
    return proved.error().field;
  };
  const auto with = [&](auto&& change) {
    TestPasskey other = key;
    change(other);
    return assertion(other, challenge(), ada);
  };
  EXPECT_TRUE(prove(with([](TestPasskey&) {})).ok());
  EXPECT_EQ(field(with([](TestPasskey& p) { p.origin = "https://muster.example.org:8443"; })),
            "credential.response.clientDataJSON");
  EXPECT_EQ(field(with([](TestPasskey& p) { p.origin = "http://muster.example.org"; })),
            "credential.response.clientDataJSON");
  EXPECT_EQ(field(with([](TestPasskey& p) { p.origin = "https://evil.muster.example.org"; })),
            "credential.response.clientDataJSON");
  EXPECT_EQ(field(with([](TestPasskey& p) { p.more_members = R"(,"crossOrigin":true)"; })),
            "credential.response.clientDataJSON");
  EXPECT_EQ(field(with([](TestPasskey& p) { p.flags = TestPasskey::user_verified; })),
            "credential.response.authenticatorData");
  EXPECT_EQ(field(with([](TestPasskey& p) { p.flags = TestPasskey::user_present; })),
            "credential.response.authenticatorData");
  TestPasskey elsewhere(1, "example.org");
  elsewhere.origin = key.origin;
  EXPECT_EQ(field(assertion(elsewhere, challenge(), ada)), "credential.response.authenticatorData");
  auto presented = assertion(key, challenge(), ada);
  presented.client_data = key.client_data("webauthn.create", "x");
  EXPECT_EQ(field(presented), "credential.response.clientDataJSON");
  presented.client_data = key.client_data("webauthn.get", challenge().octets);
  EXPECT_EQ(field(presented), "credential.response.clientDataJSON")
      << "an answer to another challenge";
  presented.client_data = "{}";
  EXPECT_EQ(field(presented), "credential.response.clientDataJSON");
  presented = assertion(key, challenge(), ada);
  presented.authenticator_data += 'x';
  EXPECT_EQ(field(presented), "credential.response.authenticatorData");
}

TEST_F(Passkeys, WhatIsWrongWithThemIsNotTold) {
  const TestPasskey key, stranger(2);
  add(ada, key);
  const OperatorId bob = fleet.appoint("bob");
  const auto message = [&](const PresentedAssertion& presented) {
    const auto proved = prove(presented);
    EXPECT_FALSE(proved.ok());
    if (proved.ok()) return std::string("it was taken");
    EXPECT_EQ(proved.error().code, Errc::invalid_credentials);
    return proved.error().message;
  };
  const std::string expected = message(assertion(stranger, challenge(), ada));
  auto unsigned_one = assertion(key, challenge(), ada);
  unsigned_one.signature.back() ^= 1;
  EXPECT_EQ(message(unsigned_one), expected);
  unsigned_one.signature.clear();
  EXPECT_EQ(message(unsigned_one), expected);
  EXPECT_EQ(message(assertion(key, challenge(), bob)), expected) << "another user's";
  TestPasskey posing = stranger;
  posing.id = key.id;
  EXPECT_EQ(message(assertion(posing, challenge(), ada)), expected);
  TestPasskey movable = key;
  movable.flags |= TestPasskey::backup_eligible;
  EXPECT_EQ(message(assertion(movable, challenge(), ada)), expected)
      << "whether it can be copied never changes";
}

TEST_F(Passkeys, ACounterThatDoesNotGoUpIsRefusedAndTold) {
  TestPasskey key;
  key.sign_count = 7;
  add(ada, key);
  EXPECT_EQ(sign_in(key, ada).value(), std::nullopt) << "the counter of the registration";
  key.sign_count = 8;
  EXPECT_TRUE(signs_in(key, ada));
  EXPECT_EQ(audited("passkey.counter_refused"), 1);
  for (const std::uint32_t count : {8U, 7U, 0U}) {
    key.sign_count = count;
    EXPECT_FALSE(signs_in(key, ada)) << count;
  }
  EXPECT_EQ(audited("passkey.counter_refused"), 4);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM sessions"), 1);
  key.sign_count = 0xFFFFFFFF;
  EXPECT_TRUE(signs_in(key, ada));
}

TEST_F(Passkeys, AnAuthenticatorThatDoesNotCountIsTaken) {
  const TestPasskey key;
  add(ada, key);
  EXPECT_TRUE(signs_in(key, ada));
  EXPECT_TRUE(signs_in(key, ada));
  EXPECT_EQ(audited("passkey.counter_refused"), 0);
}

TEST_F(Passkeys, AreMadeByAVerifiedUserOfThisServer) {
  const auto field = [&](auto&& change, auto&& present_change) {
    TestPasskey key;
    change(key);
    auto presented = present(key, offer(ada).challenge);
    present_change(presented);
    const auto made = prove_new(ada, presented);
    EXPECT_FALSE(made.ok());
    return made.ok() ? std::string("it was taken") : made.error().field;
  };
  const auto as_it_is = [](auto&) {};
  EXPECT_EQ(field([](TestPasskey& p) { p.origin = "https://example.org"; }, as_it_is),
            "credential.response.clientDataJSON");
  EXPECT_EQ(field([](TestPasskey& p) { p.flags = TestPasskey::user_present; }, as_it_is),
            "credential.response.attestationObject");
  EXPECT_EQ(field([](TestPasskey& p) { p.flags = TestPasskey::user_verified; }, as_it_is),
            "credential.response.attestationObject");
  EXPECT_EQ(field(as_it_is, [](PresentedPasskey& p) { p.attestation_object = "none"; }),
            "credential.response.attestationObject");
  EXPECT_EQ(field(as_it_is,
                  [](PresentedPasskey& p) {
                    p.attestation_object = TestPasskey(1, "example.org").attestation_object();
                  }),
            "credential.response.attestationObject");
  EXPECT_EQ(
      field(as_it_is,
            [](PresentedPasskey& p) {
              p.attestation_object = cbor::map(
                  {{cbor::text("fmt"), cbor::text("none")},
                   {cbor::text("attStmt"), cbor::map({})},
                   {cbor::text("authData"), cbor::octets(TestPasskey().authenticator_data())}});
            }),
      "credential.response.attestationObject")
      << "no passkey is in it";
}

TEST_F(Passkeys, AnAttestationIsNotJudged) {
  const TestPasskey key;
  auto presented = present(key, offer(ada).challenge);
  presented.attestation_object = key.attestation_object("packed");
  ASSERT_TRUE(add(prove_new(ada, presented).value()).ok());
  EXPECT_TRUE(signs_in(key, ada));
}

TEST_F(Passkeys, AnOfferNamesTheUserByAHandleThatStays) {
  const auto first = offer(ada);
  EXPECT_EQ(first.user_handle.size(), 32U);
  EXPECT_EQ(first.user_handle.find("ada"), std::string::npos);
  EXPECT_EQ(first.operator_name, "ada");
  EXPECT_TRUE(first.known.empty());
  const TestPasskey key;
  add(ada, key);
  fleet.reopen();
  const auto second = offer(ada);
  EXPECT_EQ(second.user_handle, first.user_handle);
  EXPECT_EQ(second.known, std::vector<std::string>{key.id});
  EXPECT_NE(second.challenge.octets, first.challenge.octets);
  EXPECT_EQ(second.challenge.octets.size(), 32U);
  EXPECT_NE(offer(fleet.appoint("bob")).user_handle, first.user_handle);
}

TEST_F(Passkeys, OneCredentialIsOfOneOperator) {
  const TestPasskey key;
  add(ada, key);
  const OperatorId bob = fleet.appoint("bob");
  const auto made = prove_new(bob, present(key, offer(bob).challenge)).value();
  EXPECT_EQ(add(made).error().code, Errc::illegal_transition);
  EXPECT_TRUE(signs_in(key, ada));
}

TEST_F(Passkeys, AreAddedOnceWithAChallenge) {
  const auto challenge = offer(ada).challenge;
  ASSERT_TRUE(add(prove_new(ada, present(TestPasskey(1), challenge)).value()).ok());
  EXPECT_EQ(add(prove_new(ada, present(TestPasskey(2), challenge)).value()).error().code,
            Errc::illegal_transition);
}

TEST_F(Passkeys, HaveABound) {
  const auto early = offer(ada).challenge;
  for (std::uint8_t number = 0; number < limits::operator_passkeys; ++number) {
    add(ada, TestPasskey(number));
  }
  EXPECT_EQ(offer_passkey(fleet->store, fleet->credentials, fleet.rng, ada, fleet.now).error().code,
            Errc::illegal_transition);
  EXPECT_EQ(add(prove_new(ada, present(TestPasskey(99), early)).value()).error().code,
            Errc::illegal_transition);
  const OperatorId bob = fleet.appoint("bob");
  add(bob, TestPasskey(100));
}

TEST_F(Passkeys, RemovalEndsThePasskeyAndTheOtherSessions) {
  const TestPasskey key, other(2);
  const PasskeyId id = add(ada, key).id;
  add(ada, other);
  const SignedIn asks = sign_in(key, ada).value().value();
  const SignedIn lost = sign_in(key, ada).value().value();
  const auto late = prove(assertion(key, challenge(), ada)).value();
  ASSERT_TRUE(remove(id, {ada, http::Role::analyst, asks.session.id}).ok());
  EXPECT_TRUE(is_open(asks));
  EXPECT_FALSE(is_open(lost));
  EXPECT_FALSE(enter(late).ok()) << "between proof and session";
  EXPECT_FALSE(signs_in(key, ada));
  EXPECT_TRUE(signs_in(other, ada));
  EXPECT_EQ(remove(id, {ada, http::Role::analyst, asks.session.id}).error().code, Errc::not_found);
  EXPECT_EQ(audited("passkey.remove"), 1);
}

TEST_F(Passkeys, OthersAreForAdministratorsOfNoLowerRole) {
  const OperatorId eve = fleet.appoint("eve", http::Role::owner);
  const OperatorId bob = fleet.appoint("bob");
  const PasskeyId id = add(eve, TestPasskey(1)).id;
  const PasskeyId of_ada = add(ada, TestPasskey(2)).id;
  const OperatorAsker analyst{bob, http::Role::analyst, {}};
  const OperatorAsker admin{bob, http::Role::admin, {}};
  EXPECT_EQ(remove(of_ada, analyst).error().code, Errc::not_found);
  EXPECT_EQ(remove(id, admin).error().code, Errc::insufficient_role);
  EXPECT_EQ(list_passkeys(fleet->store, analyst, ada).error().code, Errc::not_found);
  EXPECT_EQ(list_passkeys(fleet->store, admin, eve).error().code, Errc::insufficient_role);
  EXPECT_EQ(list_passkeys(fleet->store, admin, ada).value().size(), 1U);
  EXPECT_EQ(list_passkeys(fleet->store, {eve, http::Role::none, {}}, eve).value().size(), 1U);
  EXPECT_TRUE(remove(of_ada, admin).ok());
  EXPECT_TRUE(signs_in(TestPasskey(1), eve));
}

TEST_F(Passkeys, AreRenamedByTheirOperatorAlone) {
  const PasskeyId id = add(ada, TestPasskey()).id;
  const auto rename = [&](OperatorId by, std::string_view name) {
    return fleet->store.write([&](store::Tx& tx) {
      return rename_passkey(tx, fleet->ids, fleet.actor, by, id, name, fleet.now);
    });
  };
  EXPECT_EQ(rename(ada, "telephone").value().name, "telephone");
  EXPECT_TRUE(rename(ada, "telephone").ok()) << "a repeat";
  EXPECT_EQ(audited("passkey.rename"), 1);
  EXPECT_EQ(rename(fleet.appoint("bob"), "bob's").error().code, Errc::not_found);
  const OperatorAsker asker{ada, http::Role::analyst, {}};
  EXPECT_EQ(list_passkeys(fleet->store, asker, ada).value().front().name, "telephone");
}

TEST_F(Passkeys, GoWithTheOperator) {
  const TestPasskey key;
  add(ada, key);
  const auto presented = assertion(key, challenge(), ada);
  const auto proved = prove(presented).value();
  const auto made = prove_new(ada, present(TestPasskey(2), offer(ada).challenge)).value();
  fleet->store.write([&](store::Tx& tx) {
    revoke_operator(tx, fleet->ids, fleet->credentials, fleet.actor, http::Role::owner, ada,
                    fleet.now)
        .value();
  });
  EXPECT_FALSE(enter(proved).ok());
  EXPECT_FALSE(prove(presented).ok());
  EXPECT_EQ(add(made).error().code, Errc::not_found);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM passkeys"), 0);
}

TEST_F(Passkeys, AnOperatorWhoseTokenIsOverStaysOut) {
  const OperatorId brief =
      fleet->store
          .write([&](store::Tx& tx) {
            return create_operator(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.actor,
                                   {"brief", http::Role::analyst, std::chrono::hours(1)},
                                   fleet.now);
          })
          .id;
  const TestPasskey key;
  add(brief, key);
  EXPECT_TRUE(signs_in(key, brief));
  fleet.now = fleet.now + std::chrono::hours(1);
  EXPECT_FALSE(signs_in(key, brief));
}

TEST_F(Passkeys, AFreshSessionIsOneOfAQuarterOfAnHour) {
  add(ada, TestPasskey());
  const SessionId session = sign_in(TestPasskey(), ada).value()->session.id;
  const auto recent = [&] { return check_recent_sign_in(fleet->store, session, fleet.now).ok(); };
  const Instant began = fleet.now;
  fleet.now = began + limits::recent_sign_in - Duration(1);
  EXPECT_TRUE(recent());
  fleet.now = began + limits::recent_sign_in;
  EXPECT_FALSE(recent());
  EXPECT_FALSE(check_recent_sign_in(fleet->store, SessionId{1}, began).ok());
}

TEST_F(Passkeys, NoSecretIsInTheAuditLog) {
  const TestPasskey key;
  const auto offered = offer(ada);
  add(prove_new(ada, present(key, offered.challenge)).value()).value();
  ASSERT_TRUE(signs_in(key, ada));
  fleet->store.read([&](store::Reader& reader) {
    store::Rows rows = reader.query("SELECT details FROM audit");
    while (rows.next()) {
      EXPECT_EQ(rows.text(0).find(crypto::to_base64url(offered.user_handle)),
                std::string_view::npos);
      EXPECT_EQ(rows.text(0).find("ss_"), std::string_view::npos);
    }
    return 0;
  });
}

}  // namespace
}  // namespace muster::fleet
