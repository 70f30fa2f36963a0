// SPDX-License-Identifier: Apache-2.0
#include "endpoints/console.h"

#include <array>

#include <gtest/gtest.h>

#include "endpoints/testing.h"

namespace muster::endpoints {
namespace {

// `printf '<p>' | gzip -n`
constexpr std::string_view page_gzip(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xb3\x29\xb0\x03\x00\xbb\xa1\x6e\x3c\x03\x00\x00\x00",
    23);

class Console : public testing::Test {
 protected:
  Console() { server.face.console = files; }

  http::Response get(const std::string& path,
                     std::vector<std::pair<std::string, std::string>> headers = {}) {
    return server.ask({"GET", path, std::move(headers), ""});
  }
  static std::string header(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  const std::array<ConsoleFile, 2> files = {
      ConsoleFile{"/index.html", "text/html; charset=utf-8", "abc", "<p>", page_gzip, false},
      ConsoleFile{"/assets/a-12345678.js", "text/javascript; charset=utf-8", "def", "<p>",
                  page_gzip, true}};
  TestServer server;
};

TEST_F(Console, AnyPathThatIsNoFileAndNoRouteIsThePage) {
  for (const char* path : {"/", "/hosts", "/hosts/12", "/sign-in", "/index.html"}) {
    const http::Response response = get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.body, "<p>") << path;
    EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
    EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
  }
}

TEST_F(Console, TheApiIsNeverThePage) {
  EXPECT_EQ(get("/api/v1/nothing").status, 404);
  EXPECT_EQ(get("/api/agent/nothing").status, 404);
  EXPECT_EQ(get("/api").status, 404);
  EXPECT_EQ(server.ask({"POST", "/hosts", {}, ""}).status, 404);
}

TEST_F(Console, AFileOfAnotherVersionIsNotThePage) {
  EXPECT_EQ(get("/assets/a-00000000.js").status, 404);
  EXPECT_EQ(header(get("/assets/a-12345678.js"), "Cache-Control"),
            "public, max-age=31536000, immutable");
}

TEST_F(Console, CompressedOnlyForThoseWhoTakeIt) {
  for (const char* takes : {"gzip", "br, GZIP;q=0.5", "deflate,gzip"}) {
    const http::Response response = get("/", {{"Accept-Encoding", takes}});
    EXPECT_EQ(response.body, page_gzip) << takes;
    EXPECT_EQ(header(response, "Content-Encoding"), "gzip") << takes;
  }
  for (const char* refuses : {"br", "gzip;q=0", "", "gzipped"}) {
    const http::Response response = get("/", {{"Accept-Encoding", refuses}});
    EXPECT_EQ(response.body, "<p>") << refuses;
    EXPECT_EQ(header(response, "Content-Encoding"), "") << refuses;
  }
}

TEST_F(Console, HoldsNothingForThoseWhoReadSlowly) {
  for (const char* takes : {"gzip", "br"}) {
    const http::Response response = server.answer({"GET", "/", {{"Accept-Encoding", takes}}, ""});
    EXPECT_EQ(response.body, "") << takes;
    EXPECT_FALSE(response.kept_body.empty()) << takes;
  }
}

TEST_F(Console, AKnownVersionIsNotSentAgain) {
  const http::Response response = get("/", {{"If-None-Match", "\"x\", \"abc\""}});
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(get("/", {{"If-None-Match", "\"abcd\""}}).status, 200);
}

TEST_F(Console, RunsNothingButItsOwnFiles) {
  const http::Response response = get("/");
  const std::string policy = header(response, "Content-Security-Policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header(response, "Referrer-Policy"), "no-referrer");
}

TEST_F(Console, IsServedUnderTheServersOwnNameAlone) {
  EXPECT_EQ(get("/", {{"Host", "muster.example.org"}}).status, 200);
  EXPECT_EQ(get("/", {{"Host", "evil.example"}}).status, 421);
}

TEST_F(Console, WithoutItTheServerSaysSo) {
  server.face.console = {};
  const http::Response response = get("/");
  EXPECT_EQ(response.status, 404);
  EXPECT_NE(response.body.find("built without the console"), std::string::npos);
}

}  // namespace
}  // namespace muster::endpoints
