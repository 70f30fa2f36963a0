// SPDX-License-Identifier: Apache-2.0
#include "endpoints/inputs.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "base/limits.h"
#include "endpoints/reach.h"
#include "endpoints/testing.h"

namespace muster::endpoints {
namespace {

using http::Method;

constexpr Inputs orders = {Method::post, "/api/v1/orders", "org min_epss",
                           "name labels tags orders orders[].order orders[].of orders[].of.kind"};

/// The field that is refused, and why: "kevv: is not a known parameter"; empty if none is.
std::string refusal(const Inputs& known, std::string_view query, std::string_view body = "") {
  http::Request request;
  request.query = query;
  request.body = body;
  const Result<void> verdict = check_inputs(known, request);
  if (verdict.ok()) return "";
  EXPECT_EQ(verdict.error().code, Errc::invalid_field);
  EXPECT_TRUE(verdict.error().message.starts_with(verdict.error().field + ": "));
  return verdict.error().message;
}

std::string refused_member(std::string_view body) {
  const std::string why = refusal(orders, "", body);
  const auto end = why.find(": is not a known member");
  return end == std::string::npos ? why : why.substr(0, end);
}

TEST(Query, OfKnownParametersPasses) {
  for (const std::string_view query :
       {"", "org=1", "org=1&min_epss=0.1", "&&org=%61&", "min%5Fepss=1", "org", "org="}) {
    EXPECT_EQ(refusal(orders, query), "") << query;
  }
}

TEST(Query, WithAnUnknownParameterIsRefusedByItsName) {
  EXPECT_EQ(refusal(orders, "min_eps=0.1"), "min_eps: is not a known parameter");
  EXPECT_EQ(refusal(orders, "org=1&or%67x=2"), "orgx: is not a known parameter");
  EXPECT_EQ(refusal(orders, "Org=1"), "Org: is not a known parameter");
  EXPECT_EQ(refusal(orders, "org+min_epss=1"), "org min_epss: is not a known parameter");
  EXPECT_EQ(refusal(orders, "=1"), ": is not a known parameter");
}

TEST(Query, WithAParameterGivenTwiceIsRefusedEvenIfBothSayTheSame) {
  EXPECT_EQ(refusal(orders, "org=1&min_epss=0&org=1"), "org: is given twice");
  EXPECT_EQ(refusal(orders, "org=1&%6Frg=2"), "org: is given twice");
}

TEST(Query, ThatIsNotPercentEncodedIsRefusedAndNotTakenForAbsent) {
  EXPECT_EQ(refusal(orders, "org=%zz"), "org: has a % that two hexadecimal digits do not follow");
  EXPECT_EQ(refusal(orders, "%zz=1"), "%zz: is not a known parameter");
}

TEST(Query, RepeatsAStrangersNameShortAndAsText) {
  EXPECT_EQ(refusal(orders, "%FF=1"), "\xEF\xBF\xBD: is not a known parameter");
  const std::string why = refusal(orders, std::string(9000, 'a') + "=1");
  EXPECT_LT(why.size(), limits::name_bytes + 100);
}

TEST(Body, OfKnownMembersPasses) {
  for (const std::string_view body :
       {"", "{}", R"({"name": "a", "tags": ["b", "c"], "orders": null})",
        R"({"orders": [{"order": 1, "of": {"kind": "a"}}, {"order": 2}, 3]})"}) {
    EXPECT_EQ(refused_member(body), "") << body;
  }
}

TEST(Body, WithAnUnknownMemberIsRefusedByItsPath) {
  EXPECT_EQ(refused_member(R"({"name": "a", "nam": "b"})"), "nam");
  EXPECT_EQ(refused_member(R"({"nam": null})"), "nam");
  EXPECT_EQ(refused_member(R"({"orders": [{"order": 1}, {"ordr": 2}]})"), "orders[1].ordr");
  EXPECT_EQ(refused_member(R"({"orders": [{"of": {"kin": 2}}]})"), "orders[0].of.kin");
  EXPECT_EQ(refused_member(R"({"order": 1})"), "order");
}

TEST(Body, WithANameThatLooksLikeAPathIsRefused) {
  EXPECT_EQ(refused_member(R"({"orders[].order": 1})"), "orders[].order");
  EXPECT_EQ(refused_member(R"({"orders": [{"of.kind": 1}]})"), "orders[0].of.kind");
  EXPECT_EQ(refused_member(R"({"name labels": 1})"), "name labels");
}

TEST(Body, WithAMemberGivenTwiceIsRefused) {
  EXPECT_EQ(refused_member(R"({"name": "a", "name": "a"})"), "name: is given twice");
  EXPECT_EQ(refused_member(R"({"orders": [{"order": 1}, {"order": 1, "order": 2}]})"),
            "orders[1].order: is given twice");
}

TEST(Body, MayHaveAnythingBelowAMemberThatNamesNothing) {
  EXPECT_EQ(refused_member(R"({"labels": {"any": {"thing": 1}, "any": 2}})"), "");
}

TEST(Body, ThatIsNoObjectIsForTheEndpointToRefuse) {
  for (const std::string_view body : {"[1]", "{", "text", "null"}) {
    EXPECT_EQ(refused_member(body), "") << body;
  }
}

TEST(Body, IsNotReadWhereItIsNotOfNamedMembers) {
  const Inputs bytes = {Method::post, "/api/v1/blobs", "org", std::nullopt};
  EXPECT_EQ(refusal(bytes, "org=1", R"({"any": 1})"), "");
}

TEST(Inputs, AreKnownOfEveryRouteOfOperatorsAndOfNoOther) {
  std::set<std::string> named;
  for (const Inputs& row : all_inputs()) {
    named.insert(std::string(http::method_name(row.method)) + " " + std::string(row.path));
  }
  EXPECT_EQ(named.size(), all_inputs().size());
  for (const Route& route : routes()) {
    const bool of_operators = route.path.starts_with("/api/v1/");
    EXPECT_EQ(inputs_of(route.method, route.path) != nullptr, of_operators) << route.path;
    EXPECT_TRUE(!of_operators || route.dialect == Dialect::operators) << route.path;
    named.erase(std::string(http::method_name(route.method)) + " " + std::string(route.path));
  }
  EXPECT_TRUE(named.empty()) << *named.begin() << " is no route";
}

/// What stands one space apart.
std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> all;
  while (!text.empty()) {
    all.push_back(text.substr(0, text.find(' ')));
    text.remove_prefix(std::min(text.size(), all.back().size() + 1));
  }
  return all;
}

struct Strict : testing::Test {
  TestServer server;

  http::Response ask(std::string_view method, std::string target, std::string body = {}) {
    return server.ask({std::string(method),
                       std::move(target),
                       {{"Authorization", "Bearer " + server.admin_token}},
                       std::move(body)});
  }
  /// The member `field` of a refusal with invalid_field.
  std::string refused_field(const http::Response& answer) {
    EXPECT_EQ(answer.status, 400) << answer.body;
    JsonDocument document;
    const Result<Json> body = document.parse(answer.body);
    const auto member = [&](std::string_view name) {
      const auto found = body.ok() ? body->find(name) : std::nullopt;
      return std::string(found ? found->string().value_or("") : "");
    };
    EXPECT_EQ(member("error"), "invalid_field");
    return member("field");
  }
};

TEST_F(Strict, NoRouteOfOperatorsIgnoresAParameter) {
  for (const Inputs& row : all_inputs()) {
    if (row.path.starts_with("/api/v1/sessions") && row.method == Method::post) continue;
    for (const Route& route : routes()) {
      if (route.method != row.method || route.path != row.path) continue;
      const std::string target = filled_path(route) + "?surely_unknown=1";
      EXPECT_EQ(refused_field(ask(http::method_name(row.method), target)), "surely_unknown")
          << target;
    }
  }
}

TEST_F(Strict, NoRouteOfOperatorsIgnoresAMember) {
  for (const Route& route : routes()) {
    const Inputs* row = inputs_of(route.method, route.path);
    if (row == nullptr || !row->members) continue;
    const http::Response answer =
        ask(http::method_name(route.method), filled_path(route), R"({"surely_unknown": 1})");
    EXPECT_EQ(refused_field(answer), "surely_unknown") << route.path;
  }
}

/// A parameter that the contract names and no endpoint reads would be ignored again.
TEST_F(Strict, EveryKnownParameterOfAListIsRead) {
  const std::set<std::string_view> of_any_text = {"cve", "package", "name",   "text",  "hostname",
                                                  "tag", "os",      "target", "action"};
  const std::string nonsense = "((";
  for (const Inputs& row : all_inputs()) {
    if (row.method != Method::get || row.path.find(':') != std::string_view::npos) continue;
    for (const std::string_view name : words(row.parameters)) {
      if (of_any_text.contains(name)) continue;
      const std::string target = std::string(row.path) + "?" + std::string(name) + "=" + nonsense;
      const http::Response answer = ask("GET", target);
      EXPECT_TRUE(answer.status == 400 || answer.status == 404) << target << ": " << answer.body;
    }
  }
}

constexpr std::string_view no_cursors =
    "x %21 -1 +1 1x %201 0x1 %00 %FF 99999999999999999999 . : / 1. 1: 1/ :: // -1.-1 "
    "-1:-1 -1:-1:-1 1/1/1 1:1:1:1 7659eeba-f315-440e-9882-4aa015d68b2 "
    "7659eeba-f315-440e-9882-4aa015d68b27.-1 -1.7659eeba-f315-440e-9882-4aa015d68b27";

/// The start of the list, or nothing, would hide that the caller is mistaken. What is not there is
/// refused by its cursor all the same: no list looks for anything first.
TEST_F(Strict, NoListTakesACursorThatIsNone) {
  const auto refuse = [&](const std::string& list) {
    for (const std::string_view cursor : words(no_cursors)) {
      const std::string target = list + "cursor=" + std::string(cursor);
      EXPECT_EQ(refused_field(ask("GET", target)), "cursor") << target;
    }
  };
  int lists = 0;
  for (const Route& route : routes()) {
    const Inputs* row = inputs_of(route.method, route.path);
    if (row == nullptr || std::ranges::count(words(row->parameters), "cursor") == 0) continue;
    ++lists;
    const bool of_task = reach_of(route.name) == Reach::task;
    const std::string path =
        filled_path(route, of_task ? "7659eeba-f315-440e-9882-4aa015d68b27" : "1");
    refuse(path + "?");
    const int status = ask("GET", path + "?cursor=").status;
    EXPECT_EQ(status, route.path.find(':') == std::string_view::npos ? 200 : 404) << path;
  }
  EXPECT_GT(lists, 20);
  refuse("/api/v1/hosts?hostname=web&");
}

/// Retention, or another operator, deletes the last row of a page before the next one is asked for.
TEST_F(Strict, AListGoesOnBehindARowThatIsGone) {
  for (const std::string_view target : {
           "hosts?cursor=1",
           "hosts?hostname=web&cursor=1",
           "held-reports?cursor=1",
           "tokens?cursor=1",
           "sessions?cursor=1",
           "releases?cursor=1",
           "images?cursor=1",
           "events?cursor=1",
           "audit?cursor=9007199254740991",
           "audit/export?cursor=1.1",
           "software?cursor=1:1",
           "findings?cursor=1:4:1",
           "agents?cursor=7659eeba-f315-440e-9882-4aa015d68b27",
           "tasks?cursor=7659eeba-f315-440e-9882-4aa015d68b27",
           "batches?cursor=7659eeba-f315-440e-9882-4aa015d68b27.1",
           "results?cursor=1.7659eeba-f315-440e-9882-4aa015d68b27",
           "binaries?cursor=1/7659eeba-f315-440e-9882-4aa015d68b27/name",
       }) {
    const http::Response answer = ask("GET", "/api/v1/" + std::string(target));
    EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
  }
}

TEST_F(Strict, WhatIsRefusedIsNotDone) {
  EXPECT_EQ(refused_field(ask("POST", "/api/v1/orgs?dry_run=true", R"({"name": "a"})")), "dry_run");
  EXPECT_EQ(refused_field(ask("POST", "/api/v1/orgs", R"({"name": "a", "tll": 1})")), "tll");
  const http::Response listed = ask("GET", "/api/v1/orgs");
  EXPECT_EQ(listed.body.find("\"a\""), std::string::npos) << listed.body;
  EXPECT_EQ(ask("POST", "/api/v1/orgs", R"({"name": "a"})").status, 201);
}

TEST_F(Strict, WhoMayNotAskIsToldThatAndNothingOfTheQuery) {
  const http::Response answer = server.ask({"GET", "/api/v1/hosts?surely_unknown=1", {}, {}});
  EXPECT_EQ(answer.status, 401) << answer.body;
}

TEST_F(Strict, AgentsAndProbesMaySayMoreThanIsKnown) {
  EXPECT_EQ(server.ask({"GET", "/healthz?verbose", {}, {}}).status, 200);
  const http::Response made = ask("POST", "/api/v1/keys", R"({"name": "site"})");
  ASSERT_EQ(made.status, 201) << made.body;
  JsonDocument document;
  const std::string key(*document.parse(made.body)->find("key")->string());
  const http::Response answer =
      server.ask({"POST",
                  "/api/agent/report?surely_unknown=1",
                  {{"X-Agent-Key", key}},
                  R"({"hostname": "h", "surely_unknown": 1, "software": []})"});
  EXPECT_EQ(answer.status, 200) << answer.body;
}

}  // namespace
}  // namespace muster::endpoints
