// SPDX-License-Identifier: Apache-2.0
#include "fleet/oidc_provider.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/test_directory.h"
#include "base/testing.h"
#include "fleet/oidc_testing.h"

namespace muster::fleet {
namespace {

const std::string home = "https://muster.example.org/sign-in/oidc";
const OidcTerms terms{std::string(43, 's'), std::string(43, 'n'), std::string(43, 'v')};
const std::string discovery = "https://id.example.org/.well-known/openid-configuration";

struct Oidc : testing::Test {
  Oidc() { provider.set(TestProvider::client(), world.fetch()); }

  TestProvider world;
  OidcProvider provider;
  Instant now = test_epoch;

  Result<std::string> url() { return provider.authorization_url(terms, home, now); }
  Result<ProvedIdentity> sign_in() {
    const auto sent = url();
    if (!sent.ok()) return sent.error();
    return provider.redeem(world.authorize(*sent, now), terms, home, now);
  }
  std::string refusal(Errc code) {
    const auto proved = sign_in();
    EXPECT_FALSE(proved.ok());
    if (proved.ok()) return "it was taken";
    EXPECT_EQ(proved.error().code, code) << proved.error().message;
    return proved.error().message;
  }
};

TEST_F(Oidc, SendsTheBrowserWithTheChallengeOfItsVerifier) {
  EXPECT_EQ(url().value(),
            "https://id.example.org/auth?response_type=code&client_id=muster&redirect_uri=https%3A"
            "%2F%2Fmuster.example.org%2Fsign-in%2Foidc&scope=openid%20email&state=" +
                terms.state + "&nonce=" + terms.nonce +
                "&code_challenge=" + crypto::to_base64url(crypto::sha256(terms.verifier).octets()) +
                "&code_challenge_method=S256");
  world.document["authorization_endpoint"] = R"("https://id.example.org/auth?tenant=1")";
  now = now + limits::oidc_document_age;
  EXPECT_TRUE(url()->starts_with("https://id.example.org/auth?tenant=1&response_type=code"));
}

TEST_F(Oidc, TakesWhomTheProviderNames) {
  const auto proved = sign_in().value();
  EXPECT_EQ(proved.issuer, "https://id.example.org");
  EXPECT_EQ(proved.subject, "248289761001");
  EXPECT_EQ(proved.name, "ada@example.org");
}

TEST_F(Oidc, ProvesItselfToTheTokenEndpoint) {
  sign_in().value();
  const auto sent = [&] {
    return *std::find_if(world.orders.begin(), world.orders.end(),
                         [](const auto& order) { return order.body.has_value(); });
  };
  // Both are encoded as in a form first (RFC 6749 2.3.1).
  const auto header = [&](std::string_view name) {
    for (const auto& [key, value] : sent().headers) {
      if (key == name) return value;
    }
    return std::string();
  };
  EXPECT_EQ(header("Authorization"), "Basic bXVzdGVyOnMzY3IlMkJ0");  // muster:s3cr%2Bt
  EXPECT_EQ(header("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(*sent().body,
            "grant_type=authorization_code&code=code%20" + terms.state +
                "&redirect_uri=https%3A%2F%2Fmuster.example.org%2Fsign-in%2Foidc&code_verifier=" +
                terms.verifier);

  world.orders.clear();
  world.document["token_endpoint_auth_methods_supported"] = R"(["client_secret_post"])";
  now = now + limits::oidc_document_age;
  sign_in().value();
  EXPECT_EQ(header("Authorization"), "");
  EXPECT_TRUE(sent().body->ends_with("&client_id=muster&client_secret=s3cr%2Bt"));

  world.orders.clear();
  auto client = TestProvider::client();
  client.secret.clear();
  provider.set(client, world.fetch());
  sign_in().value();
  EXPECT_EQ(header("Authorization"), "");
  EXPECT_TRUE(sent().body->ends_with("&client_id=muster")) << "a public client names itself alone";
}

TEST_F(Oidc, AsksForDocumentsOnceAnHour) {
  sign_in().value();
  sign_in().value();
  EXPECT_EQ(world.asked(discovery), 1U);
  EXPECT_EQ(world.asked("https://id.example.org/keys"), 1U);
  now = now + limits::oidc_document_age;
  sign_in().value();
  EXPECT_EQ(world.asked(discovery), 2U);
  EXPECT_EQ(world.asked("https://id.example.org/keys"), 2U);
}

TEST_F(Oidc, AsksForANewKeyButNotForEachTokenThatNamesOne) {
  sign_in().value();
  const crypto::TestSigner next("key 2");
  world.signer.key_id = "key 3";  // which nobody publishes
  const std::string expected = "The provider's id token is not signed by a key of the provider's.";
  EXPECT_EQ(refusal(Errc::invalid_credentials), expected);
  EXPECT_EQ(world.asked("https://id.example.org/keys"), 1U) << "so soon it asks nobody";
  now = now + limits::oidc_refetch;
  EXPECT_EQ(refusal(Errc::invalid_credentials), expected);
  EXPECT_EQ(refusal(Errc::invalid_credentials), expected);
  EXPECT_EQ(world.asked("https://id.example.org/keys"), 2U);
  world.keys = R"({"keys":[)" + next.jwk() + "," + world.signer.jwk() + "]}";
  now = now + limits::oidc_refetch;
  EXPECT_TRUE(sign_in().ok()) << "the provider has changed its keys";
  EXPECT_EQ(world.asked("https://id.example.org/keys"), 3U);
}

TEST_F(Oidc, TakesNoTokenThatAnotherSigned) {
  const std::string expected = "The provider's id token is not signed by a key of the provider's.";
  const crypto::TestSigner forger("key 1");
  world.keys = forger.jwk_set();
  EXPECT_EQ(refusal(Errc::invalid_credentials), expected) << "the same name, another key";
}

TEST_F(Oidc, TakesNoTokenThatSaysNotWhichOfSeveralKeysSignedIt) {
  world.token = world.signer.sign_under(R"({"alg":"ES256"})", "{}");
  world.keys = R"({"keys":[)" + crypto::TestSigner("other").jwk() + "," + world.signer.jwk() + "]}";
  EXPECT_EQ(refusal(Errc::invalid_credentials),
            "The provider's id token is not signed by a key of the provider's.");
  world.keys = world.signer.jwk_set();
  now = now + limits::oidc_document_age;
  EXPECT_EQ(refusal(Errc::invalid_credentials), "The provider's id token is of another issuer.")
      << "of one it need not say";
}

TEST_F(Oidc, TakesNoTokenByAnotherAlgorithm) {
  for (const char* header : {R"({"alg":"none"})", R"({"alg":"HS256","kid":"key 1"})"}) {
    world.token = world.signer.sign_under(header, "{}");
    EXPECT_EQ(refusal(Errc::invalid_credentials),
              "The provider's id token is not signed by RS256 or ES256.");
  }
}

TEST_F(Oidc, ChecksWhatTheTokenSays) {
  world.claims = {{"aud", R"("other")"}};
  EXPECT_EQ(refusal(Errc::invalid_credentials), "The provider's id token is for another client.");
  world.claims = {{"nonce", R"("another")"}};
  EXPECT_EQ(refusal(Errc::invalid_credentials), "The provider's id token is of another sign-in.");
}

TEST_F(Oidc, ACodeThatTheProviderDoesNotTakeIsTheBrowsersFault) {
  world.token_status = 400;
  world.token_answer = R"({"error":"invalid_grant"})";
  EXPECT_EQ(refusal(Errc::invalid_credentials),
            "The provider takes this sign-in no more: begin again.");
}

TEST_F(Oidc, WhatElseTheProviderSaysIsItsOwnOrOurs) {
  const std::string begins = "The provider of identities ";
  world.token_status = 401;
  world.token_answer = R"({"error":"invalid_client","error_description":"<script>"})";
  EXPECT_EQ(refusal(Errc::unavailable), begins + "refuses us: 401, invalid_client.");
  world.token_answer = R"({"error":"<script>"})";
  EXPECT_EQ(refusal(Errc::unavailable), begins + "refuses us: 401, no reason.");
  world.token_status = 200;
  for (const char* answer : {"{}", "no JSON", R"({"id_token":7})", R"({"id_token":""})"}) {
    world.token_answer = answer;
    EXPECT_EQ(refusal(Errc::unavailable), begins + "answers without an id token.") << answer;
  }
  world.token_answer.clear();
  world.keys = "no JSON";
  EXPECT_EQ(refusal(Errc::unavailable), begins + "publishes no set of keys.");
  world.is_down = true;
  now = now + limits::oidc_document_age;
  EXPECT_EQ(refusal(Errc::unavailable), begins + "does not answer: Connection refused");
}

TEST_F(Oidc, TheLastFailureIsToldUntilSomebodyIsProvedOrADayIsOver) {
  EXPECT_EQ(provider.last_failure(now), std::nullopt);
  world.is_down = true;
  EXPECT_FALSE(url().ok());
  const std::string down = "The provider of identities does not answer: Connection refused";
  EXPECT_EQ(provider.last_failure(now), down);
  world.is_down = false;
  world.claims = {{"aud", R"("other")"}};
  EXPECT_FALSE(sign_in().ok());
  EXPECT_EQ(provider.last_failure(now), down)
      << "whom it refuses is no failure of it, and no proof";
  world.claims.clear();
  EXPECT_TRUE(sign_in().ok());
  EXPECT_EQ(provider.last_failure(now), std::nullopt);
  world.token_status = 401;
  world.token_answer = R"({"error":"invalid_client"})";
  EXPECT_FALSE(sign_in().ok());
  EXPECT_EQ(provider.last_failure(now),
            "The provider of identities refuses us: 401, invalid_client.");
  EXPECT_EQ(provider.last_failure(now + limits::oidc_failure_memory), std::nullopt);
}

TEST_F(Oidc, TheDocumentIsTheIssuersOwn) {
  for (const char* issuer : {R"("https://id.example.org/")", R"("https://example.org")", "7", ""}) {
    world.document["issuer"] = issuer;
    EXPECT_EQ(refusal(Errc::unavailable),
              "The provider of identities calls itself otherwise than [oidc] issuer does.");
  }
  EXPECT_EQ(world.asked(discovery), 4U) << "what is wrong is not kept";
}

TEST_F(Oidc, NothingGoesOverTheNetInClear) {
  for (const char* member : {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
    for (const char* url :
         {"", R"("http://id.example.org/x")", R"("ftp://id.example.org/x")", R"("/x")",
          "\"javascript:alert(1)\"", R"("https://")", R"("https://a@id.example.org/x")",
          R"("http://localhost.example.org/x")", R"("https://id.example.org/ x")"}) {
      world.document[member] = url;
      EXPECT_EQ(refusal(Errc::unavailable),
                "The provider of identities names an address that is not https.")
          << member << " " << url;
    }
    world.document[member] = R"("https://id.example.org/x")";
  }
  for (const char* url :
       {R"("http://127.0.0.1:8080/x")", R"("http://localhost/x")", R"("http://[::1]:9/x")"}) {
    world.document["authorization_endpoint"] = url;
    now = now + limits::oidc_document_age;
    EXPECT_TRUE(provider.authorization_url(terms, home, now).ok()) << url;
  }
}

TEST_F(Oidc, AnswersAreBoundedInSizeAndTime) {
  sign_in().value();
  ASSERT_EQ(world.orders.size(), 3U);
  for (const auto& order : world.orders) {
    EXPECT_EQ(order.bytes_max, limits::oidc_answer_bytes);
    EXPECT_EQ(order.time_max, limits::oidc_time);
  }
}

TEST_F(Oidc, AFewCallsWaitForTheProviderAtOnce) {
  int depth = 0;
  provider.set(TestProvider::client(), [&](const http::FetchOrder&) -> Result<http::Fetched> {
    // Another browser while this one waits.
    if (++depth <= limits::oidc_calls) {
      EXPECT_FALSE(url().ok());
    }
    return Error{Errc::unavailable, "slow"};
  });
  EXPECT_EQ(url().error().code, Errc::unavailable);
  EXPECT_EQ(depth, limits::oidc_calls) << "one more was turned away before it called";
  provider.set(TestProvider::client(), world.fetch());
  EXPECT_TRUE(url().ok()) << "their places are free again";
}

std::string fault_of(const Config& config) {
  const auto client = read_oidc_client(config);
  return client.ok() ? "" : client.error().field;
}

TEST(OidcClientOfConfig, IsReadWhole) {
  const TestDirectory directory;
  const std::string file = directory.path() + "/secret";
  std::ofstream(file) << "s3cret\n";
  Config config;
  EXPECT_EQ(read_oidc_client(config).value().issuer, "") << "there is none by default";
  config.oidc_issuer = "https://id.example.org";
  EXPECT_EQ(fault_of(config), "oidc.client_id");
  config.oidc_client_id = "muster";
  EXPECT_EQ(read_oidc_client(config).value().secret, "");
  config.oidc_client_secret_file = file;
  const auto client = read_oidc_client(config).value();
  EXPECT_EQ(client.secret, "s3cret");
  EXPECT_EQ(client.scopes, "openid email");
  EXPECT_EQ(client.name, "single sign-on");
  config.oidc_client_secret_file = directory.path() + "/none";
  EXPECT_EQ(fault_of(config), "oidc.client_secret_file");
  std::ofstream(file, std::ios::trunc) << "\n";
  config.oidc_client_secret_file = file;
  EXPECT_EQ(fault_of(config), "oidc.client_secret_file");
}

TEST(OidcClientOfConfig, NamesWhatIsWrong) {
  Config config;
  config.oidc_issuer = "http://id.example.org";
  config.oidc_client_id = "muster";
  EXPECT_EQ(fault_of(config), "oidc.issuer");
  config.oidc_issuer = "http://127.0.0.1:8080";
  EXPECT_EQ(fault_of(config), "");
  config.oidc_scopes = {"email"};
  EXPECT_EQ(fault_of(config), "oidc.scopes");
  config.oidc_scopes = {"openid"};
  config.oidc_name = "";
  EXPECT_EQ(fault_of(config), "oidc.name");
}

}  // namespace
}  // namespace muster::fleet
