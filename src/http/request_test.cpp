// SPDX-License-Identifier: Apache-2.0
#include "http/request.h"

#include <gtest/gtest.h>

namespace muster::http {
namespace {

TEST(Headers, AreFoundInAnyCaseAndTheFirstWins) {
  Headers headers;
  ASSERT_TRUE(headers.add("X-Agent-Key", "one"));
  ASSERT_TRUE(headers.add("x-agent-key", "two"));
  ASSERT_TRUE(headers.add("Empty", ""));
  EXPECT_EQ(headers.find("X-AGENT-KEY"), "one");
  EXPECT_TRUE(headers.has("empty"));
  EXPECT_FALSE(headers.has("X-Agent"));
  EXPECT_EQ(headers.find("X-Agent"), "");
}

TEST(Headers, OfOneNameAreOneList) {
  Headers headers;
  ASSERT_TRUE(headers.add("X-Forwarded-For", "a, b"));
  ASSERT_TRUE(headers.add("Other", "x"));
  ASSERT_TRUE(headers.add("x-forwarded-for", "c"));
  EXPECT_EQ(headers.list("X-Forwarded-For"), "a, b,c");
  EXPECT_EQ(headers.list("Missing"), "");
}

TEST(Headers, AreBounded) {
  Headers headers;
  for (std::size_t i = 0; i < limits::head_fields; ++i) EXPECT_TRUE(headers.add("a", "b"));
  EXPECT_FALSE(headers.add("c", "d"));
  EXPECT_FALSE(headers.has("c"));
}

TEST(DecodeComponent, UndoesPercentAndPlus) {
  EXPECT_EQ(decode_component("a+b%20c%2B%2f%C3%a4"), "a b c+/\xC3\xA4");
  EXPECT_EQ(decode_component(""), "");
  EXPECT_EQ(decode_component("%00"), std::string(1, '\0'));
  for (const std::string_view bad : {"%", "%2", "%2g", "a%", "%%20", "% 2"}) {
    EXPECT_EQ(decode_component(bad), std::nullopt) << bad;
  }
}

TEST(QueryParam, FindsDecodedNamesAndValues) {
  constexpr std::string_view query = "a=1&b&c=x%3Dy=z&%64=4&a=2&e=";
  EXPECT_EQ(query_param(query, "a"), "1");
  EXPECT_EQ(query_param(query, "b"), "");
  EXPECT_EQ(query_param(query, "c"), "x=y=z");
  EXPECT_EQ(query_param(query, "d"), "4");
  EXPECT_EQ(query_param(query, "e"), "");
  EXPECT_EQ(query_param(query, "f"), std::nullopt);
  EXPECT_EQ(query_param("", "a"), std::nullopt);
  EXPECT_EQ(query_param("a=%zz", "a"), std::nullopt);
  EXPECT_EQ(query_param("&&a=1&", "a"), "1");
}

}  // namespace
}  // namespace muster::http
