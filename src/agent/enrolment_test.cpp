// SPDX-License-Identifier: Apache-2.0
#include "agent/enrolment.h"

#include <gtest/gtest.h>

#include <set>

#include "agent/http_date.h"
#include "agent/utf8.h"

namespace muster::agent {
namespace {

constexpr const char* id = "0192c0de-aaaa-7000-8000-000000000001";

Answer created(const std::string& data) {
  return {201, {}, R"({"success": true, "data": )" + data + "}"};
}

TEST(Enrolment, SendsWhatTheSeedAsksAndTheMachine) {
  HostFacts facts;
  facts.hostname = "box";
  facts.arch = "amd64";
  facts.machine_id = "abc";
  const Call call = make_enrolment("acht_1", facts);
  EXPECT_EQ(call.target, "/api/agent/enroll");
  EXPECT_EQ(call.body, R"({"token": "acht_1", "hostname": "box", "os": "linux", "arch": "amd64", )"
                       R"("agent_version": "1.2.0", "machine_id": "abc"})");
  EXPECT_TRUE(call.headers.empty());
}

TEST(Enrolment, ReadsTheSeedsNamesAndTheFieldedOnes) {
  for (const char* names : {R"("api_key": "ak_1", "public_key": "cHVi")",
                            R"("agent_key": "ak_1", "update_public_key": "cHVi", "org_id": "1",
           "server_url": "https://elsewhere.example")"}) {
    const auto identity = read_enrolment(
        created(std::string("{\"agent_id\": \"") + id + "\", " + names + "}"), "https://here");
    ASSERT_TRUE(identity.ok()) << identity.error().message;
    EXPECT_EQ(identity->agent.text(), id);
    EXPECT_EQ(identity->key, "ak_1");
    EXPECT_EQ(identity->update_public_key, "cHVi");
    EXPECT_EQ(identity->server_url, "https://here");
    EXPECT_EQ(decode_identity(encode_identity(*identity)).value().key, "ak_1");
  }
}

TEST(Enrolment, AnAnswerWithoutAKeyIsNone) {
  EXPECT_FALSE(read_enrolment(created(std::string("{\"agent_id\": \"") + id + "\"}"), "x").ok());
  EXPECT_FALSE(read_enrolment(created(R"({"agent_id": "no", "api_key": "k"})"), "x").ok());
  EXPECT_FALSE(read_enrolment({200, {}, "<html>"}, "x").ok());
}

TEST(Enrolment, RefusalsCarryTheServersWords) {
  const auto refused =
      read_enrolment({401, {}, R"({"success": false, "error": "Token \u001b[31mexpired"})"}, "x");
  EXPECT_EQ(refused.error().message,
            "the server refused the enrolment (401): Token \\x1b[31mexpired");
  EXPECT_FALSE(refused.error().retry_after_seconds.has_value());
  const auto busy = read_enrolment({503, {{"Retry-After", "7"}}, ""}, "x");
  EXPECT_EQ(busy.error().retry_after_seconds, 7);
}

TEST(Enrolment, MachinesThatAreToldTheSameSecondDoNotComeInIt) {
  std::set<Duration> waits;
  for (int i = 0; i < 100; ++i) {
    HostFacts facts;
    facts.machine_id = "of the image";
    facts.hostname = "box-" + std::to_string(i);
    const Duration wait = enrolment_wait(facts, 10, Instant{1'700'000'000'123});
    EXPECT_GE(wait, std::chrono::seconds(10));
    EXPECT_LT(wait, std::chrono::seconds(20));
    waits.insert(wait);
    EXPECT_LT(enrolment_wait(facts, 0, Instant{1'700'000'000'123}), std::chrono::seconds(1));
  }
  EXPECT_GE(waits.size(), 95U);
}

TEST(HttpDate, ReadsTheFormServersMustSend) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT")->unix_ms, 784'111'777'000);
  EXPECT_FALSE(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT").has_value());
  EXPECT_FALSE(parse_http_date("Sun, 06 Foo 1994 08:49:37 GMT").has_value());
  EXPECT_FALSE(parse_http_date("Sun, 36 Nov 1994 08:49:37 GMT").has_value());
  EXPECT_FALSE(parse_http_date("").has_value());
}

TEST(HttpDate, RetryAfterIsSecondsOrADateAndBounded) {
  const Instant now{784'111'777'000};
  EXPECT_EQ(parse_retry_after("120", now), std::chrono::seconds(120));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), std::chrono::seconds(60));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Duration(0));
  EXPECT_EQ(parse_retry_after("-5", now), Duration(0));
  EXPECT_EQ(parse_retry_after("99999999999", now), std::chrono::hours(1));
  EXPECT_FALSE(parse_retry_after("soon", now).has_value());
  EXPECT_FALSE(parse_retry_after("", now).has_value());
}

TEST(Utf8, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(to_utf8("plain \x1b[0m\n"), "plain \x1b[0m\n");
  const std::string text = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
  EXPECT_EQ(to_utf8(text), text);
  EXPECT_EQ(to_utf8("a\xff"
                    "b\xc3"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(to_utf8("\xed\xa0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
}

}  // namespace
}  // namespace muster::agent
