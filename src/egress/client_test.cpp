// SPDX-License-Identifier: Apache-2.0
#include "egress/client.h"

#include <gtest/gtest.h>

#include "egress/testing/scripted_server.h"

namespace muster::egress {
namespace {

using testing::Answer;
using testing::answer;
using testing::ScriptedServer;
using Over = ScriptedServer::Over;

const net::testing::CertificateFiles& authority() {
  static const auto files = net::testing::certificate_files("egress");
  return files;
}

/// Loopback is allowed and the test's authority trusted, as an operator of a local mirror would do.
Rules local_rules() {
  Rules rules;
  rules.allow = {parse_ip_network("127.0.0.0/8").value()};
  rules.ca_file = authority().ca;
  return rules;
}

struct Got {
  Result<http::Fetched> outcome;
  std::string body;
};

Got get(const Client& client, const std::string& url,
        const std::function<void(http::FetchOrder&)>& change = {}) {
  std::string body;
  http::FetchOrder order;
  order.url = url;
  order.bytes_max = 1000;
  order.time_max = std::chrono::seconds(20);
  order.take = [&](std::string_view piece) { body += piece; };
  if (change) change(order);
  auto outcome = client.fetch(order);
  return {std::move(outcome), std::move(body)};
}

Errc failure(const Got& got) {
  EXPECT_FALSE(got.outcome.ok());
  return got.outcome.ok() ? Errc::unavailable : got.outcome.error().code;
}

ScriptedServer::Script always(Answer what) {
  return [what = std::move(what)](const std::string&) { return what; };
}

TEST(Egress, GetsAFileAndWhatTheServerSaysOfItsVersion) {
  ScriptedServer server(
      authority(),
      always(answer("200 OK\r\nETag: \"v1\"\r\nLast-Modified: Mon, 02 Mar 2026 08:00:00 GMT",
                    "content")));
  const Got got = get(Client(local_rules()), server.url());
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.error().message;
  EXPECT_EQ(got.body, "content");
  EXPECT_EQ(got.outcome->bytes, 7U);
  EXPECT_FALSE(got.outcome->unchanged);
  EXPECT_EQ(got.outcome->validators.etag, "\"v1\"");
  EXPECT_EQ(got.outcome->validators.last_modified, "Mon, 02 Mar 2026 08:00:00 GMT");
}

TEST(Egress, AsksWithWhatItHasAndTakesNothingThatIsUnchanged) {
  ScriptedServer server(authority(), always(answer("304 Not Modified\r\nETag: \"v1\"")));
  const Got got = get(Client(local_rules()), server.url(), [](http::FetchOrder& order) {
    order.have = {"\"v1\"", "Mon, 02 Mar 2026 08:00:00 GMT"};
  });
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.error().message;
  EXPECT_TRUE(got.outcome->unchanged);
  EXPECT_EQ(got.body, "");
  const std::string request = server.requests().at(0);
  EXPECT_NE(request.find("If-None-Match: \"v1\"\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("If-Modified-Since: Mon, 02 Mar 2026 08:00:00 GMT\r\n"),
            std::string::npos);
}

TEST(Egress, DoesNotBelieveThatNothingChangedIfItHasNothing) {
  ScriptedServer server(authority(), always(answer("304 Not Modified")));
  EXPECT_EQ(failure(get(Client(local_rules()), server.url())), Errc::unavailable);
}

TEST(Egress, CallsNoAddressThatIsNotPublicUnlessAllowed) {
  ScriptedServer server(authority(), always(answer("200 OK", "secret")));
  Rules rules = local_rules();
  rules.allow.clear();
  for (const std::string host : {"127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "2130706433",
                                 "0x7f.1", "[::ffff:127.0.0.1]", "localhost"}) {
    EXPECT_EQ(failure(get(Client(rules), server.url("/", host))), Errc::invalid_field) << host;
  }
  EXPECT_TRUE(server.requests().empty());
}

TEST(Egress, RefusesANameThatHasOneAddressItMayNotCall) {
  const auto resolve = [](const std::string&) {
    return Result<std::vector<IpAddress>>(
        std::vector<IpAddress>{*parse_ip_address("8.8.8.8"), *parse_ip_address("192.168.1.1")});
  };
  std::vector<std::string> refused;
  const auto log = [&](const std::string& host, const IpAddress& address) {
    refused.push_back(host + " " + format_ip_address(address));
  };
  const Got got = get(Client({}, resolve, log), "https://feeds.example/file");
  ASSERT_EQ(failure(got), Errc::invalid_field);
  const std::string& said = got.outcome.error().message;
  EXPECT_NE(said.find("feeds.example has an address that is not public"), std::string::npos)
      << said;
  EXPECT_EQ(said.find("192.168"), std::string::npos) << "whoever wrote the name reads this";
  EXPECT_EQ(refused, std::vector<std::string>{"feeds.example 192.168.1.1"});
}

TEST(Egress, ConnectsToWhatWasCheckedWhateverTheNameMeansLater) {
  ScriptedServer server(authority(), always(answer("200 OK", "content")), Over::tls,
                        "feeds.invalid");
  int asked = 0;
  const auto resolve = [&](const std::string& host) -> Result<std::vector<IpAddress>> {
    EXPECT_EQ(host, "feeds.invalid");
    ++asked;
    return std::vector<IpAddress>{*parse_ip_address("127.0.0.1")};
  };
  // RFC 6761: no resolver knows the name, so only the pin can have led there.
  const Got got = get(Client(local_rules(), resolve), server.url("/file", "feeds.invalid"));
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.error().message;
  EXPECT_EQ(got.body, "content");
  EXPECT_EQ(asked, 1);
}

TEST(Egress, ChecksTheTargetOfARedirectAgain) {
  std::string target;
  ScriptedServer server(authority(), [&](const std::string&) {
    return answer("302 Found\r\nLocation: " + target, "moved");
  });
  const Client client(local_rules());
  for (const std::string location :
       {"https://10.0.0.1/", "https://[fd00::1]/", "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd", "gopher://127.0.0.1/", "https://user:password@127.0.0.1/"}) {
    target = location;
    const Got got = get(client, server.url());
    EXPECT_EQ(failure(got), Errc::invalid_field) << location;
    EXPECT_EQ(got.body, "");
  }
}

TEST(Egress, FollowsARedirectAndLeavesItsHeadersBehindOnTheWayToAnotherHost) {
  ScriptedServer second(authority(), always(answer("200 OK", "content")));
  ScriptedServer first(authority(), always(answer("301 Moved\r\nLocation: " + second.url("/b"))));
  const Got got = get(Client(local_rules()), first.url("/a"), [](http::FetchOrder& order) {
    order.headers = {{"apiKey", "secret"}};
  });
  ASSERT_TRUE(got.outcome.ok()) << got.outcome.error().message;
  EXPECT_EQ(got.body, "content");
  EXPECT_NE(first.requests().at(0).find("apiKey: secret"), std::string::npos);
  EXPECT_EQ(second.requests().at(0).find("secret"), std::string::npos);
}

TEST(Egress, EndsALoopOfRedirects) {
  ScriptedServer server(authority(), always(answer("302 Found\r\nLocation: /file")));
  EXPECT_EQ(failure(get(Client(local_rules()), server.url())), Errc::unavailable);
  EXPECT_EQ(server.requests().size(), 6U);
}

TEST(Egress, NeverGoesFromHttpsToHttp) {
  ScriptedServer clear(authority(), always(answer("200 OK", "content")), Over::clear);
  ScriptedServer server(authority(), always(answer("302 Found\r\nLocation: " + clear.url())));
  Rules rules = local_rules();
  rules.plain_http = {"127.0.0.1"};
  EXPECT_EQ(failure(get(Client(rules), server.url())), Errc::invalid_field);
  EXPECT_TRUE(clear.requests().empty());
  EXPECT_EQ(get(Client(rules), clear.url()).body, "content") << "which it may ask directly";
  EXPECT_EQ(failure(get(Client(local_rules()), clear.url())), Errc::invalid_field);
}

TEST(Egress, TrustsItsAuthoritiesOnly) {
  ScriptedServer server(authority(), always(answer("200 OK", "content")));
  ScriptedServer other(authority(), always(answer("200 OK", "content")), Over::tls,
                       "other.invalid");
  Rules rules = local_rules();
  EXPECT_EQ(failure(get(Client(rules), other.url())), Errc::unavailable) << "another's certificate";
  rules.ca_file.clear();
  EXPECT_EQ(failure(get(Client(rules), server.url())), Errc::unavailable) << "unknown authority";
  EXPECT_TRUE(server.requests().empty());
}

TEST(Egress, TakesNoMoreThanItWasToldTo) {
  ScriptedServer announced(authority(), always(answer("200 OK", std::string(1001, 'x'))));
  EXPECT_EQ(failure(get(Client(local_rules()), announced.url())), Errc::body_too_large);
  std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunks += "64\r\n" + std::string(100, 'x') + "\r\n";
  ScriptedServer unannounced(authority(), always({chunks, true}));
  const Got got = get(Client(local_rules()), unannounced.url());
  EXPECT_EQ(failure(got), Errc::body_too_large);
  EXPECT_LE(got.body.size(), 1000U);
}

TEST(Egress, NoticesAFileThatIsCutOff) {
  ScriptedServer server(authority(),
                        always({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"}));
  EXPECT_EQ(failure(get(Client(local_rules()), server.url())), Errc::unavailable);
}

TEST(Egress, WaitsForNoServerForEver) {
  ScriptedServer server(authority(),
                        always({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true}));
  EXPECT_EQ(failure(get(
                Client(local_rules()), server.url(),
                [](http::FetchOrder& order) { order.time_max = std::chrono::milliseconds(200); })),
            Errc::unavailable)
      << "the whole time";
  Rules rules = local_rules();
  rules.stall = std::chrono::seconds(1);
  EXPECT_EQ(failure(get(Client(rules), server.url())), Errc::unavailable) << "slow for too long";
}

TEST(Egress, PassesOnHowLongTheServerWantsToBeLeftAlone) {
  ScriptedServer busy(authority(),
                      always(answer("429 Too Many Requests\r\nRetry-After: 30", "no")));
  const Got got = get(Client(local_rules()), busy.url());
  ASSERT_EQ(failure(got), Errc::rate_limited);
  EXPECT_EQ(got.outcome.error().retry_after_seconds, 30);
  EXPECT_EQ(got.body, "");
  ScriptedServer never(authority(), always(answer("503 No\r\nRetry-After: 99999999")));
  EXPECT_EQ(get(Client(local_rules()), never.url()).outcome.error().retry_after_seconds, 86400);
  ScriptedServer gone(authority(), always(answer("404 Not Found", std::string(100'000, 'x'))));
  EXPECT_EQ(failure(get(Client(local_rules()), gone.url())), Errc::not_found);
}

TEST(Egress, GivesUpWhenItsCallerDoes) {
  ScriptedServer server(authority(),
                        always({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true}));
  std::uint64_t heard = 0;
  const Got got = get(Client(local_rules()), server.url(), [&](http::FetchOrder& order) {
    order.goes_on = [&](std::uint64_t bytes, std::optional<std::uint64_t> of) {
      heard = bytes;
      return !(bytes == 4 && of == 100);
    };
  });
  EXPECT_EQ(failure(got), Errc::unavailable);
  EXPECT_EQ(heard, 4U);
}

TEST(Egress, UsesTheProxyOfItsRulesAndNoOther) {
  ScriptedServer proxy(authority(), always(answer("200 OK", "by proxy")), Over::clear);
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::setenv("https_proxy", "http://127.0.0.1:1", 1);
  Rules rules = local_rules();
  rules.plain_http = {"feeds.invalid", "127.0.0.1"};
  EXPECT_EQ(get(Client(rules), proxy.url()).body, "by proxy") << "not that of the environment";
  rules.proxy = proxy.url("");
  const Got got = get(Client(rules), "http://feeds.invalid/file");
  EXPECT_EQ(got.body, "by proxy");
  EXPECT_TRUE(proxy.requests().at(1).starts_with("GET http://feeds.invalid/file "));
  EXPECT_EQ(failure(get(Client(rules), "http://10.0.0.1/")), Errc::invalid_field);
  ::unsetenv("http_proxy");
  ::unsetenv("https_proxy");
}

TEST(Egress, RefusesWhatIsNoAddressOfAFile) {
  for (const std::string url :
       {"", "nonsense", "https://", "ftp://example.org/", "file:///etc/passwd",
        "https://a:b@example.org/", "dict://127.0.0.1/"}) {
    EXPECT_EQ(failure(get(Client(local_rules()), url)), Errc::invalid_field) << url;
  }
}

http::FetchOrder post(const std::string& url, std::string body) {
  http::FetchOrder order;
  order.url = url;
  order.body = std::move(body);
  order.headers = {{"Content-Type", "application/json"}, {"webhook-id", "1-2"}};
  order.bytes_max = 1000;
  order.time_max = std::chrono::seconds(20);
  return order;
}

TEST(Egress, PostsABodyAndTakesAny2xxForAnAnswer) {
  for (const char* status : {"200 OK", "202 Accepted", "204 No Content"}) {
    ScriptedServer server(authority(), always(answer(status)));
    const auto sent = Client(local_rules()).fetch(post(server.url("/hook"), R"({"a": "\n"})"));
    EXPECT_TRUE(sent.ok()) << status << ": " << sent.error().message;
    const std::string request = server.requests().at(0);
    EXPECT_EQ(request.find("POST /hook HTTP/1.1\r\n"), 0U) << request;
    EXPECT_NE(request.find("Content-Type: application/json\r\n"), std::string::npos) << request;
    EXPECT_NE(request.find("webhook-id: 1-2\r\n"), std::string::npos) << request;
    EXPECT_NE(request.find("Content-Length: 11\r\n"), std::string::npos) << request;
    EXPECT_EQ(request.find("Expect:"), std::string::npos) << request;
    EXPECT_NE(request.find("\r\n\r\n{\"a\": \"\\n\"}"), std::string::npos) << request;
  }
}

TEST(Egress, OfAPostTakesNoWordsHoweverManyThereAre) {
  ScriptedServer server(authority(), always(answer("200 OK", std::string(200'000, 'x'))));
  EXPECT_TRUE(Client(local_rules()).fetch(post(server.url(), "{}")).ok());
}

TEST(Egress, TakesWhatAnswersAPostWhateverItIs) {
  for (const char* status : {"200 OK", "400 Bad Request", "302 Found\r\nLocation: /other"}) {
    ScriptedServer server(authority(), always(answer(status, R"({"error":"e"})")));
    std::string body;
    auto order = post(server.url(), "a=b");
    order.take = [&](std::string_view piece) { body += piece; };
    const auto sent = Client(local_rules()).fetch(order);
    ASSERT_TRUE(sent.ok()) << status << ": " << sent.error().message;
    EXPECT_EQ(std::to_string(sent->status), std::string(status).substr(0, 3));
    EXPECT_EQ(body, R"({"error":"e"})") << status;
    EXPECT_EQ(server.requests().size(), 1U) << "no redirect is followed";
  }
}

TEST(Egress, TakesNoMoreOfAnAnswerToAPostThanItsBound) {
  ScriptedServer server(authority(), always(answer("400 Bad Request", std::string(1001, 'x'))));
  std::string body;
  auto order = post(server.url(), "a=b");
  order.take = [&](std::string_view piece) { body += piece; };
  const auto sent = Client(local_rules()).fetch(order);
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, Errc::body_too_large);
  EXPECT_LE(body.size(), 1000U);
}

TEST(Egress, FollowsNoRedirectOfAPost) {
  ScriptedServer other(authority(), always(answer("200 OK")));
  ScriptedServer server(authority(),
                        always(answer("307 Temporary Redirect\r\nLocation: " + other.url())));
  const auto sent = Client(local_rules()).fetch(post(server.url(), "{}"));
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().message, "The server answered 307.");
  EXPECT_TRUE(other.requests().empty());
}

TEST(Egress, SaysWhatARefusalOfAPostAskedFor) {
  ScriptedServer server(authority(),
                        always(answer("503 Service Unavailable\r\nRetry-After: 30", "no")));
  const auto sent = Client(local_rules()).fetch(post(server.url(), "{}"));
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().retry_after_seconds, 30);
}

TEST(Egress, PostsNothingToAnAddressThatMayNotBeCalled) {
  ScriptedServer server(authority(), always(answer("200 OK")));
  Rules rules = local_rules();
  rules.allow.clear();
  const auto sent = Client(rules).fetch(post(server.url(), "{}"));
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, Errc::invalid_field);
  EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace muster::egress
