// SPDX-License-Identifier: Apache-2.0
// Single sign-on through the endpoints, with a provider in the place of the network.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "endpoints/testing.h"
#include "fleet/oidc_testing.h"
#include "fleet/operators.h"

namespace muster::endpoints {
namespace {

using fleet::TestProvider;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct Oidc : testing::Test {
  Oidc() { server.wiring.oidc.set(TestProvider::client(), provider.fetch()); }

  TestServer server;
  TestProvider provider;

  Headers token() const { return {{"Authorization", "Bearer " + server.admin_token}}; }
  static std::string cookie_of(const http::Response& response) {
    for (const auto& [name, value] : response.headers) {
      if (name == "Set-Cookie") return value.substr(0, value.find(';'));
    }
    return {};
  }
  static std::string url_of(const http::Response& response) {
    JsonDocument document;
    return std::string(document.parse(response.body)->find("url")->string().value());
  }
  http::Response post(const std::string& path, Headers headers, const std::string& body = "") {
    return server.ask({"POST", "/api/v1" + path, std::move(headers), body});
  }
  /// The body that the page sends when the browser is back.
  std::string returned(const http::Response& begun) {
    const std::string code = provider.authorize(url_of(begun), server.clock.now());
    return R"({"code":")" + code + R"(","state":")" + code.substr(5) + "\"}";
  }
  http::Response link() {
    const auto begun = post("/identities/trip", token());
    EXPECT_EQ(begun.status, 201) << begun.body;
    Headers headers = token();
    headers.emplace_back("Cookie", cookie_of(begun));
    return post("/identities", headers, returned(begun));
  }
  http::Response sign_in() {
    const auto begun = post("/sessions/oidc/trip", {});
    EXPECT_EQ(begun.status, 201) << begun.body;
    return post("/sessions/oidc", {{"Cookie", cookie_of(begun)}}, returned(begun));
  }
};

TEST_F(Oidc, SignsInWhoLinkedItself) {
  const auto linked = link();
  EXPECT_EQ(linked.status, 201) << linked.body;
  EXPECT_NE(linked.body.find(R"("name": "ada@example.org")"), std::string::npos) << linked.body;
  const auto signed_in = sign_in();
  EXPECT_EQ(signed_in.status, 201) << signed_in.body;
  const auto me = server.ask({"GET", "/api/v1/me", {{"Cookie", cookie_of(signed_in)}}, ""});
  EXPECT_EQ(me.status, 200);
  EXPECT_NE(me.body.find(R"("name": "bootstrap")"), std::string::npos) << me.body;
}

TEST_F(Oidc, CookiesAreOfThisSiteAlone) {
  const auto begun = post("/sessions/oidc/trip", {});
  const auto signed_in = [&] {
    link();
    return sign_in();
  }();
  for (const auto* response : {&begun, &signed_in}) {
    bool is_set = false;
    for (const auto& [name, value] : response->headers) {
      if (name != "Set-Cookie") continue;
      is_set = true;
      EXPECT_TRUE(value.starts_with("__Host-muster-")) << value;
      EXPECT_NE(value.find("; Path=/; HttpOnly; SameSite=Strict;"), std::string::npos) << value;
      EXPECT_TRUE(value.ends_with("; Secure")) << value;
    }
    EXPECT_TRUE(is_set);
  }
}

TEST_F(Oidc, WhoIsNotLinkedStaysOut) {
  const auto refused = sign_in();
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.body.find("No operator is linked"), std::string::npos) << refused.body;
}

TEST_F(Oidc, AnotherBrowserCannotBringTheCode) {
  link();
  const auto begun = post("/sessions/oidc/trip", {});
  const std::string body = returned(begun);
  EXPECT_EQ(post("/sessions/oidc", {}, body).status, 401);
  const auto other = post("/sessions/oidc/trip", {});
  EXPECT_EQ(post("/sessions/oidc", {{"Cookie", cookie_of(other)}}, body).status, 401);
  EXPECT_EQ(post("/sessions/oidc", {{"Cookie", "__Host-muster-oidc=nonsense!"}}, body).status, 401);
  EXPECT_EQ(provider.asked("https://id.example.org/token"), 1U) << "and the provider is not asked";
  EXPECT_EQ(post("/sessions/oidc", {{"Cookie", cookie_of(begun)}}, body).status, 201);
  EXPECT_EQ(post("/sessions/oidc", {{"Cookie", cookie_of(begun)}}, body).status, 401) << "once";
}

TEST_F(Oidc, ATripOfOneKindIsNoneOfTheOther) {
  const auto link_begun = post("/identities/trip", token());
  const std::string body = returned(link_begun);
  EXPECT_EQ(post("/sessions/oidc", {{"Cookie", cookie_of(link_begun)}}, body).status, 401);
  const auto sign_in_begun = post("/sessions/oidc/trip", {});
  Headers headers = token();
  headers.emplace_back("Cookie", cookie_of(sign_in_begun));
  EXPECT_EQ(post("/identities", headers, returned(sign_in_begun)).status, 409);
}

TEST_F(Oidc, AStrangerIsToldNothingOfWhatIsWrongWithTheProvider) {
  provider.is_down = true;
  const auto refused = post("/sessions/oidc/trip", {});
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body.find("Connection refused"), std::string::npos) << refused.body;
  ASSERT_EQ(server.log_lines.size(), 1U);
  EXPECT_NE(server.log_lines.front().find("Connection refused"), std::string::npos);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(post("/sessions/oidc/trip", {}).status, 503);
  EXPECT_EQ(server.log_lines.size(), 1U) << "a stranger fills no log";
  server.app.failures.tell(server.clock.now());
  ASSERT_EQ(server.log_lines.size(), 2U);
  EXPECT_NE(server.log_lines.back().find(R"("count": 5)"), std::string::npos);
  provider.is_down = false;
  EXPECT_EQ(post("/sessions/oidc/trip", {}).status, 201) << "and tries again";
}

TEST_F(Oidc, TheDoctorTellsOfAProviderThatFails) {
  const auto doctor = [&] { return server.ask({"GET", "/api/v1/doctor", token(), ""}).body; };
  EXPECT_NE(doctor().find(R"({"name": "single sign-on", "state": "fine")"), std::string::npos);
  provider.is_down = true;
  EXPECT_EQ(post("/sessions/oidc/trip", {}).status, 503);
  EXPECT_NE(doctor().find(R"({"name": "single sign-on", "state": "near", "found": )"
                          R"("The provider of identities does not answer: Connection refused")"),
            std::string::npos)
      << doctor();
}

TEST_F(Oidc, RefusedTokensAreBoundedWithRefusedPasswords) {
  link();
  provider.claims = {{"aud", R"("other")"}};
  for (std::int64_t i = 0; i < server.config.console_sign_in_failures_per_minute; ++i) {
    EXPECT_EQ(sign_in().status, 401);
  }
  EXPECT_EQ(post("/sessions/oidc/trip", {}).status, 429);
  EXPECT_EQ(post("/sessions", {}, R"({"name":"a","password":"b"})").status, 429);
  server.clock.advance(std::chrono::minutes(2));
  provider.claims.clear();
  EXPECT_EQ(sign_in().status, 201);
}

TEST_F(Oidc, LinkingTakesThePasswordOrAFreshSession) {
  link();
  const std::string session = cookie_of(sign_in());
  const Headers console = {{"Cookie", session}, {"X-Muster-Console", "1"}};
  EXPECT_EQ(post("/identities/trip", console).status, 201);
  server.clock.advance(limits::recent_sign_in);
  EXPECT_EQ(post("/identities/trip", console).status, 409) << "somebody else's hands";
  ASSERT_EQ(
      server.ask({"PUT", "/api/v1/me/password", token(), R"({"password":"correct horse battery"})"})
          .status,
      200);
  EXPECT_EQ(post("/identities/trip", console, R"({"current_password":"wrong"})").status, 400);
  EXPECT_EQ(
      post("/identities/trip", console, R"({"current_password":"correct horse battery"})").status,
      201);
}

TEST_F(Oidc, NoSecretIsInTheLogOrTheAuditLog) {
  link();
  sign_in();
  provider.token_status = 401;
  provider.token_answer = R"({"error":"invalid_client"})";
  sign_in();
  std::string all;
  for (const std::string& line : server.log_lines) all += line;
  server.fleet.store.read([&](store::Reader& reader) {
    store::Rows rows = reader.query("SELECT details FROM audit");
    while (rows.next()) all += rows.text(0);
    return 0;
  });
  EXPECT_NE(all.find("invalid_client"), std::string::npos);
  for (const char* secret : {"s3cr", "code ", "ss_", "eyJ"}) {
    EXPECT_EQ(all.find(secret), std::string::npos) << secret;
  }
}

}  // namespace
}  // namespace muster::endpoints
