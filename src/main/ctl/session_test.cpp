// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/session.h"

#include <gtest/gtest.h>

#include "main/ctl/testing/canned.h"

namespace muster::ctl {
namespace {

struct Lists : testing::Test {
  test::CannedServer server;
  test::CannedTransport transport{server};
  Session session{transport, "op_secret"};
  std::string seen;

  Result<bool> list(std::optional<std::size_t> limit = std::nullopt, const char* query = "",
                    const char* path = "/l") {
    seen.clear();
    return session.list(path, query, limit, [&](const Json& item) { seen += item.serialise(); });
  }
};

TEST_F(Lists, FollowTheCursorToTheEnd) {
  server.on("GET /l?limit=1000&org=a%20b", {200, R"({"items": [1, 2], "next_cursor": "x/1"})"});
  server.on("GET /l?limit=1000&org=a%20b&cursor=x%2F1",
            {200, R"({"items": [3], "next_cursor": "2"})"});
  server.on("GET /l?limit=1000&org=a%20b&cursor=2",
            {200, R"({"items": [4], "next_cursor": null})"});
  const auto more = list(std::nullopt, "org=a%20b");
  ASSERT_TRUE(more.ok()) << more.error().message;
  EXPECT_FALSE(*more);
  EXPECT_EQ(seen, "1234");
}

TEST_F(Lists, AreOfTheOrganisationThatIsAskedAboutUnlessTheyNameOne) {
  session.ask_about("a b");
  const std::string hosts = "GET /api/v1/hosts?limit=1000";
  server.on(hosts + "&org=a%20b", {200, R"({"items": [1], "next_cursor": null})"});
  ASSERT_TRUE(list(std::nullopt, "", "/api/v1/hosts").ok());
  EXPECT_EQ(seen, "1");
  server.on(hosts + "&org=other", {200, R"({"items": [2], "next_cursor": null})"});
  ASSERT_TRUE(list(std::nullopt, "org=other", "/api/v1/hosts").ok());
  EXPECT_EQ(seen, "2");
  server.on("POST /api/v1/keys?org=a%20b", {200, "{}"});
  EXPECT_TRUE(session.call(http::Method::post, "/api/v1/keys", "{}").ok());
}

TEST_F(Lists, ThatAreOfNoOrganisationAreNotAskedAboutOne) {
  session.ask_about("a b");
  server.on("GET /api/v1/feeds?limit=1000", {200, R"({"items": [1], "next_cursor": null})"});
  ASSERT_TRUE(list(std::nullopt, "", "/api/v1/feeds").ok());
  EXPECT_EQ(seen, "1");
  server.on("DELETE /api/v1/hosts/7", {200, "{}"});
  EXPECT_TRUE(session.call(http::Method::del, "/api/v1/hosts/7").ok());
}

TEST_F(Lists, StopAtTheLimitAndKnowWhetherThereIsMore) {
  server.on("GET /l?limit=3", {200, R"({"items": [1, 2, 3], "next_cursor": "3"})"});
  const auto more = list(2);
  ASSERT_TRUE(more.ok());
  EXPECT_TRUE(*more);
  EXPECT_EQ(seen, "12");
}

TEST_F(Lists, OfExactlyTheLimitHaveNoMore) {
  server.on("GET /l?limit=3", {200, R"({"items": [1, 2], "next_cursor": null})"});
  const auto more = list(2);
  ASSERT_TRUE(more.ok());
  EXPECT_FALSE(*more);
  EXPECT_EQ(seen, "12");
}

TEST_F(Lists, AskOnForTheLimitWhenPagesAreSmaller) {
  server.on("GET /l?limit=4", {200, R"({"items": [1, 2], "next_cursor": "2"})"});
  server.on("GET /l?limit=2&cursor=2", {200, R"({"items": [3, 4], "next_cursor": "4"})"});
  const auto more = list(3);
  ASSERT_TRUE(more.ok());
  EXPECT_TRUE(*more);
  EXPECT_EQ(seen, "123");
}

TEST_F(Lists, ThatDoNotAdvanceEnd) {
  server.on("GET /l?limit=1000", {200, R"({"items": [1], "next_cursor": "1"})"});
  server.on("GET /l?limit=1000&cursor=1", {200, R"({"items": [1], "next_cursor": "1"})"});
  EXPECT_EQ(list().error().code, Errc::unavailable);
  server.on("GET /l?limit=1000", {200, R"({"items": [], "next_cursor": "1"})"});
  EXPECT_EQ(list().error().code, Errc::unavailable);
}

TEST_F(Lists, ThatAreNoPagesAreRefused) {
  for (const char* body :
       {"", "<html>", "[]", "{}", R"({"items": 3})", R"({"items": [1], "next_cursor": 7})"}) {
    server.on("GET /l?limit=1000", {200, body});
    EXPECT_EQ(list().error().code, Errc::unavailable) << body;
  }
}

TEST_F(Lists, FailWhenALaterPageDoes) {
  server.on("GET /l?limit=1000", {200, R"({"items": [1], "next_cursor": "1"})"});
  server.on("GET /l?limit=1000&cursor=1",
            {503, R"({"error": "overloaded", "message": "Too busy."})", "7"});
  const auto more = list();
  EXPECT_EQ(more.error().code, Errc::overloaded);
  EXPECT_EQ(more.error().message, "Too busy. (try again in 7 s)");
}

TEST_F(Lists, CarryTheToken) {
  server.on("GET /l?limit=1000", {200, R"({"items": [], "next_cursor": null})"});
  ASSERT_TRUE(list().ok());
  ASSERT_EQ(server.requests.size(), 1U);
  EXPECT_EQ(server.requests[0].headers[0],
            (std::pair<std::string, std::string>("Authorization", "Bearer op_secret")));
}

Error refusal(int status, const char* body) {
  test::CannedServer server;
  test::CannedTransport transport(server);
  server.on("POST /x", {status, body});
  return Session(transport, "t").call(http::Method::post, "/x", "{}").error();
}

TEST(Refusals, NameTheMember) {
  const Error named =
      refusal(400, R"({"error": "invalid_field", "message": "must be short", "field": "name"})");
  EXPECT_EQ(named.code, Errc::invalid_field);
  EXPECT_EQ(named.message, "name: must be short");
  const Error twice = refusal(
      400, R"({"error": "invalid_field", "message": "name: must be short", "field": "name"})");
  EXPECT_EQ(twice.message, "name: must be short");
}

TEST(Refusals, OfAnythingButMusterSaySo) {
  const Error html = refusal(502, "<html>Bad gateway</html>");
  EXPECT_EQ(html.code, Errc::unavailable);
  EXPECT_EQ(html.message, "HTTP 502, which is no answer of Muster");
  EXPECT_EQ(refusal(302, "").message, "HTTP 302, which is no answer of Muster");
  EXPECT_EQ(refusal(400, "This port speaks HTTPS.\n").message,
            "HTTP 400, which is no answer of Muster: This port speaks HTTPS.");
}

TEST(Refusals, WithCodesOfANewerServerKeepTheirWords) {
  const Error error = refusal(409, R"({"error": "from_the_future", "message": "No flying cars."})");
  EXPECT_EQ(error.message, "No flying cars.");
}

TEST(Components, EncodeAllThatHasAMeaningInAUrl) {
  EXPECT_EQ(encode_component("web-1.example_~"), "web-1.example_~");
  EXPECT_EQ(encode_component("a b/../?&=#%ü"), "a%20b%2F..%2F%3F%26%3D%23%25%C3%BC");
}

}  // namespace
}  // namespace muster::ctl
