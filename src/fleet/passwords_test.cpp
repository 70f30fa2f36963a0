// SPDX-License-Identifier: Apache-2.0
#include "fleet/passwords.h"

#include <thread>

#include <gtest/gtest.h>

#include "crypto/password.h"
#include "crypto/testing.h"
#include "crypto/totp.h"
#include "fleet/operators.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

constexpr std::string_view right = "correct horse battery";

struct Passwords : testing::Test {
  TestFleet fleet;
  OperatorId ada = fleet.appoint("ada");

  Result<void> set(OperatorId id, std::string_view password = right, SessionId own = {}) {
    return fleet->store.write([&](store::Tx& tx) {
      return set_password(tx, fleet->ids, fleet->credentials, fleet.actor, id,
                          crypto::hash_password(password), fleet.now, own);
    });
  }
  Result<void> remove(OperatorId id, http::Role role = http::Role::owner) {
    return fleet->store.write([&](store::Tx& tx) {
      return remove_password(tx, fleet->ids, fleet->credentials, fleet.actor, role, id, fleet.now);
    });
  }
  Result<ProvedPassword> prove(std::string_view name, std::string_view password,
                               std::string_view code = "") {
    return prove_password(fleet->store, fleet->credentials,
                          {std::string(name), std::string(password), std::string(code)}, fleet.now);
  }
  Result<SignedIn> enter(const ProvedPassword& proved) {
    return fleet->store.write([&](store::Tx& tx) {
      return sign_in_with_password(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.config,
                                   proved, "192.0.2.1", fleet.now);
    });
  }
  bool is_open(const SignedIn& signed_in) {
    return use_session(fleet->credentials, fleet.config, signed_in.secret, fleet.now).has_value();
  }
  std::string code_of(std::string_view secret) {
    return crypto::totp_code(crypto::decode_base32(secret), crypto::totp_step(fleet.now));
  }
  Result<void> set_factor(std::string_view code) {
    return fleet->store.write([&](store::Tx& tx) {
      return set_second_factor(tx, fleet->ids, fleet->credentials, fleet.actor, ada, code,
                               fleet.now);
    });
  }
};

TEST_F(Passwords, SignInUnderTheNameOfTheOperator) {
  ASSERT_TRUE(set(ada).ok());
  const auto signed_in = enter(prove("ada", right).value()).value();
  EXPECT_EQ(signed_in.operator_name, "ada");
  EXPECT_EQ(signed_in.role, http::Role::analyst);
  const auto session = use_session(fleet->credentials, fleet.config, signed_in.secret, fleet.now);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->operator_id, ada);
}

TEST_F(Passwords, OneOperatorChangesOneAtATimeWhileOthersSignIn) {
  ASSERT_TRUE(set(ada).ok());
  const auto elsewhere = [](const auto& work) { std::thread(work).join(); };
  {
    const PasswordTurn turn = PasswordTurn::take().value();
    EXPECT_TRUE(is_password(turn, fleet->store, ada, right));
    EXPECT_FALSE(is_password(turn, fleet->store, ada, "wrong"));
    elsewhere([] { EXPECT_EQ(PasswordTurn::take().error().code, Errc::rate_limited); });
    elsewhere([&] { EXPECT_TRUE(prove("ada", right).ok()) << "signing in waits for nobody"; });
  }
  elsewhere([] { EXPECT_TRUE(PasswordTurn::take().ok()) << "it was given back"; });
}

TEST_F(Passwords, WhatIsWrongIsNotTold) {
  ASSERT_TRUE(set(ada).ok());
  const auto message = [&](std::string_view name, std::string_view password) {
    const auto proved = prove(name, password);
    EXPECT_EQ(proved.error().code, Errc::invalid_credentials);
    return proved.error().message;
  };
  EXPECT_EQ(message("ada", "correct horse batterz"), message("nobody", right));
  EXPECT_EQ(message("ada", ""), message("Ada", right));
}

TEST_F(Passwords, AnOperatorWithoutOneCannotSignInWithAny) {
  EXPECT_FALSE(prove("ada", "").ok());
  EXPECT_FALSE(prove("ada", "nobody's").ok());
}

TEST_F(Passwords, ANewOneReplacesTheOldAlsoBetweenProofAndSession) {
  ASSERT_TRUE(set(ada).ok());
  const auto proved = prove("ada", right).value();
  fleet.now = fleet.now + std::chrono::seconds(1);
  ASSERT_TRUE(set(ada, "another horse battery").ok());
  EXPECT_FALSE(enter(proved).ok());
  EXPECT_FALSE(prove("ada", right).ok());
  EXPECT_TRUE(prove("ada", "another horse battery").ok());
}

TEST_F(Passwords, AnotherOneEndsTheOtherSessionsOfTheOperator) {
  const OperatorId bob = fleet.appoint("bob");
  ASSERT_TRUE(set(ada).ok() && set(bob).ok());
  const auto own = enter(prove("ada", right).value()).value();
  const auto intruders = enter(prove("ada", right).value()).value();
  const auto bobs = enter(prove("bob", right).value()).value();
  ASSERT_TRUE(set(ada, "another horse battery", own.session.id).ok());
  EXPECT_TRUE(is_open(own));
  EXPECT_FALSE(is_open(intruders));
  EXPECT_TRUE(is_open(bobs));
}

TEST_F(Passwords, TheFirstOneEndsNoSession) {
  const auto by_link = fleet->store.write([&](store::Tx& tx) {
    return open_session(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.config,
                        *store::find_operator_token(tx, ada), "link", "192.0.2.1", fleet.now);
  });
  ASSERT_TRUE(set(ada).ok());
  EXPECT_TRUE(is_open(by_link));
}

TEST_F(Passwords, OneOperatorOfANameHasOne) {
  const OperatorId other = fleet.appoint("ada");
  ASSERT_TRUE(set(ada).ok());
  EXPECT_EQ(set(other).error().code, Errc::name_taken);
  ASSERT_TRUE(remove(ada).ok());
  EXPECT_TRUE(set(other).ok());
}

TEST_F(Passwords, RemovalEndsTheSessionsOfTheOperator) {
  ASSERT_TRUE(set(ada).ok());
  const auto signed_in = enter(prove("ada", right).value()).value();
  ASSERT_TRUE(remove(ada).ok());
  EXPECT_FALSE(is_open(signed_in));
  EXPECT_FALSE(prove("ada", right).ok());
  EXPECT_TRUE(remove(ada).ok()) << "a repeat";
}

TEST_F(Passwords, NobodyRemovesThatOfARoleAboveTheirOwn) {
  const OperatorId owner = fleet.appoint("eve", http::Role::owner);
  ASSERT_TRUE(set(owner).ok());
  EXPECT_EQ(remove(owner, http::Role::admin).error().code, Errc::insufficient_role);
  EXPECT_TRUE(prove("eve", right).ok());
}

TEST_F(Passwords, GoWithTheOperator) {
  ASSERT_TRUE(set(ada).ok());
  const auto proved = prove("ada", right).value();
  fleet->store.write([&](store::Tx& tx) {
    revoke_operator(tx, fleet->ids, fleet->credentials, fleet.actor, http::Role::owner, ada,
                    fleet.now)
        .value();
  });
  EXPECT_FALSE(enter(proved).ok());
  EXPECT_FALSE(prove("ada", right).ok());
  EXPECT_EQ(set(ada).error().code, Errc::not_found);
}

TEST_F(Passwords, WithASecondFactorACodeIsNeededAndIsGoodOnce) {
  ASSERT_TRUE(set(ada).ok());
  EXPECT_EQ(set_factor("000000").error().field, "code");
  const auto offer = offer_second_factor(fleet->store, fleet->credentials, ada).value();
  ASSERT_TRUE(set_factor(code_of(offer.secret)).ok());
  EXPECT_TRUE(password_state(fleet->store, ada).second_factor);
  EXPECT_FALSE(prove("ada", right).ok());
  EXPECT_FALSE(prove("ada", right, code_of(offer.secret)).ok()) << "it proved the offer";
  fleet.now = fleet.now + std::chrono::seconds(30);
  const auto proved = prove("ada", right, code_of(offer.secret)).value();
  EXPECT_TRUE(enter(proved).ok());
  EXPECT_FALSE(enter(proved).ok()) << "a second session with one code";
  EXPECT_FALSE(prove("ada", right, code_of(offer.secret)).ok());
}

TEST_F(Passwords, ANewPasswordKeepsTheSecondFactor) {
  ASSERT_TRUE(set(ada).ok());
  const auto offer = offer_second_factor(fleet->store, fleet->credentials, ada).value();
  ASSERT_TRUE(set_factor(code_of(offer.secret)).ok());
  fleet.now = fleet.now + std::chrono::seconds(60);
  ASSERT_TRUE(set(ada, "another horse battery").ok());
  EXPECT_FALSE(prove("ada", "another horse battery").ok());
  EXPECT_TRUE(prove("ada", "another horse battery", code_of(offer.secret)).ok());
}

TEST_F(Passwords, NoSecretComesBack) {
  ASSERT_TRUE(set(ada).ok());
  const auto first = offer_second_factor(fleet->store, fleet->credentials, ada).value();
  EXPECT_EQ(first.secret.size(), 32U) << "160 bits";
  ASSERT_TRUE(set_factor(code_of(first.secret)).ok());
  const auto second = offer_second_factor(fleet->store, fleet->credentials, ada).value();
  EXPECT_NE(second.secret, first.secret);
  ASSERT_TRUE(remove(ada).ok());
  fleet.now = fleet.now + std::chrono::seconds(1);
  ASSERT_TRUE(set(ada).ok());
  const auto third = offer_second_factor(fleet->store, fleet->credentials, ada).value();
  EXPECT_NE(third.secret, first.secret);
  EXPECT_NE(third.secret, second.secret);
}

}  // namespace
}  // namespace muster::fleet
