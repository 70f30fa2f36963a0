// SPDX-License-Identifier: Apache-2.0
// What the filters of the audit log mean.
#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/testing.h"

namespace muster::endpoints {
namespace {

class AuditFilters : public testing::Test {
 protected:
  http::Response ask(const std::string& method, const std::string& target,
                     const std::string& body = {}) {
    server.clock.advance(Duration(1000));
    return server.ask({method, target, {{"Authorization", "Bearer " + server.admin_token}}, body});
  }
  /// The id of a new key.
  std::string make_key(const std::string& name) {
    const http::Response made = ask("POST", "/api/v1/keys", R"({"name": ")" + name + R"("})");
    EXPECT_EQ(made.status, 201) << made.body;
    JsonDocument document;
    return std::to_string(document.parse(made.body)->find("id")->integer().value());
  }
  /// "action target" of each row, newest first.
  std::vector<std::string> rows(const std::string& query) {
    const http::Response answer = ask("GET", "/api/v1/audit?" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::vector<std::string> found;
    JsonDocument document;
    document.parse(answer.body)->find("items")->for_each([&](const Json& row) {
      found.push_back(std::string(*row.find("action")->string()) + " " +
                      std::string(*row.find("target")->string()));
      actor = *row.find("actor")->string();
    });
    return found;
  }

  using Rows = std::vector<std::string>;
  TestServer server;
  std::string actor;  // of the last of rows()
};

TEST_F(AuditFilters, AnActorIsMeantByItsIdOrByItsText) {
  const std::string key = make_key("a");
  EXPECT_EQ(rows("target=" + key), (Rows{"keys.create " + key}));
  const std::string text = actor;
  ASSERT_TRUE(text.starts_with("operator:")) << text;
  const std::string id = text.substr(text.find(':') + 1);
  for (const std::string& named : {id, text, "operator%3A" + id}) {
    EXPECT_EQ(rows("actor=" + named), (Rows{"keys.create " + key})) << named;
  }
  EXPECT_EQ(rows("actor=key:" + id), Rows{}) << "a key is nobody's operator";
  EXPECT_FALSE(rows("actor=server").empty()) << "it made the first operator";
  EXPECT_EQ(actor, "server");
}

TEST_F(AuditFilters, WhatNobodyCanBeIsRefused) {
  for (const char* named : {"", "ada", "operator:", "operator:0", "operator:-1", "operator:1x",
                            "key:", "Server", "12%20", "-1"}) {
    const http::Response answer = ask("GET", "/api/v1/audit?actor=" + std::string(named));
    EXPECT_EQ(answer.status, 400) << named;
    EXPECT_NE(answer.body.find(R"("field": "actor")"), std::string::npos) << answer.body;
  }
}

TEST_F(AuditFilters, ATimeIsFromAMomentOnAndBeforeAnother) {
  const std::string first = make_key("a");
  const std::string at_first = format_rfc3339(server.clock.now());
  const std::string second = make_key("b");
  const std::string at_second = format_rfc3339(server.clock.now());
  const std::string created = "keys.create ";
  const std::string of = "action=keys.create&";
  EXPECT_EQ(rows(of + "since=" + at_first), (Rows{created + second, created + first}));
  EXPECT_EQ(rows(of + "since=" + at_second), (Rows{created + second}));
  EXPECT_EQ(rows(of + "until=" + at_second), (Rows{created + first}));
  EXPECT_EQ(rows(of + "since=" + at_first + "&until=" + at_second), (Rows{created + first}));
  EXPECT_EQ(rows(of + "since=" + at_second + "&until=" + at_first), Rows{});
}

TEST_F(AuditFilters, PagesStayAsTheyAreWhileRowsAreAdded) {
  const std::string first = make_key("a");
  make_key("b");
  const http::Response page = ask("GET", "/api/v1/audit?action=keys.create&limit=1");
  JsonDocument document;
  const std::string cursor(*document.parse(page.body)->find("next_cursor")->string());
  make_key("c");
  EXPECT_EQ(rows("action=keys.create&limit=1&cursor=" + cursor), (Rows{"keys.create " + first}));
}

}  // namespace
}  // namespace muster::endpoints
