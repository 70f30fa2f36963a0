// SPDX-License-Identifier: Apache-2.0
// Who may do what in which organisation: every route, asked by every role, about one's own
// organisation and about another that has the same things (docs/adr/0025).
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/inputs.h"
#include "endpoints/reach.h"
#include "endpoints/testing.h"
#include "fleet/operators.h"
#include "store/store.h"

namespace muster::endpoints {
namespace {

using http::Method;
using http::Role;

constexpr std::string_view test_uuid = "7659eeba-f315-440e-9882-4aa015d68b27";

constexpr std::string_view debian_feed =
    R"({"examplelib": {"CVE-2099-0001": {"description": "d", "scope": "local", "releases": {"bookworm":)"
    R"( {"status": "resolved", "fixed_version": "2.0-1", "urgency": "high"}}}}})";

/// One organisation with one of everything that a route may be about. Every name in it begins with
/// its own, so that an answer that tells of it can be found out.
struct Place {
  std::string name;
  std::string org;  // its id
  std::string agent;
  std::string task;
  std::string batch;
  std::string host;
  std::string token;
  std::string key;
  std::string finding;
  std::string image;
  std::string alert;
  std::string webhook;
  std::string person;  // an operator who is something here alone
};

class Reaching : public testing::Test {
 protected:
  Reaching() {
    const http::Response imported = admin("POST", "/api/v1/feeds/debian", std::string(debian_feed));
    EXPECT_EQ(imported.status, 200) << imported.body;
    own = furnish("ownplace");
    other = furnish("otherplace");
  }

  http::Response ask(const std::string& token, std::string_view method, const std::string& target,
                     const std::string& body = {}) {
    return server.ask({std::string(method), target, {{"Authorization", "Bearer " + token}}, body});
  }
  http::Response admin(std::string_view method, const std::string& target,
                       const std::string& body = {}) {
    return ask(server.admin_token, method, target, body);
  }
  /// A member of the answer to what must succeed: "task_ids.0".
  std::string made(const http::Response& answer, std::initializer_list<std::string_view> path) {
    EXPECT_TRUE(answer.status == 200 || answer.status == 201) << answer.body;
    JsonDocument document;
    const Result<Json> parsed = document.parse(answer.body);
    if (!parsed.ok()) return {};
    Json at = *parsed;
    for (const std::string_view member : path) {
      if (member == "0") {
        std::optional<Json> first;
        at.for_each([&](const Json& each) {
          if (!first) first = each;
        });
        if (!first) {
          ADD_FAILURE() << "an empty list in " << answer.body;
          return {};
        }
        at = *first;
        continue;
      }
      const auto found = at.find(member);
      if (!found) {
        ADD_FAILURE() << "no " << member << " in " << answer.body;
        return {};
      }
      at = *found;
    }
    if (const auto number = at.integer()) return std::to_string(*number);
    return std::string(at.string().value_or(""));
  }

  /// An operator with the role in the organisation, or without one on the whole server.
  fleet::CreatedOperator appoint(Role role, const std::string& org, const std::string& name) {
    std::optional<OrgId> where;
    if (!org.empty()) where = OrgId{std::stoll(org)};
    return server.fleet.store.write([&](store::Tx& tx) {
      return fleet::create_operator(tx, server.fleet.ids, server.rng, server.fleet.credentials,
                                    fleet::Actor::server(), {name, role, Duration(0), where},
                                    server.clock.now());
    });
  }

  Place furnish(const std::string& name) {
    Place place;
    place.name = name;
    place.org = made(admin("POST", "/api/v1/orgs", R"({"name": ")" + name + R"("})"), {"id"});
    const std::string in = R"("org": ")" + name + R"(")";
    const http::Response issued = admin("POST", "/api/v1/tokens", "{" + in + R"(, "max_uses": 9})");
    place.token = made(issued, {"id"});
    const http::Response enrolled =
        server.ask({"POST",
                    "/api/agent/enroll",
                    {},
                    R"({"token": ")" + made(issued, {"token"}) + R"(", "hostname": ")" + name +
                        R"(-host", "os": "linux", "arch": "amd64", "agent_version": "1.0"})"});
    place.agent = made(enrolled, {"data", "agent_id"});
    place.host = made(admin("GET", "/api/v1/hosts?org=" + name), {"items", "0", "id"});
    const http::Response site =
        admin("POST", "/api/v1/keys", R"({"name": ")" + name + R"(-key", )" + in + "}");
    place.key = made(site, {"id"});
    report(made(site, {"key"}), name);
    place.finding = made(admin("GET", "/api/v1/findings?org=" + name), {"items", "0", "id"});
    place.image = made(admin("GET", "/api/v1/images?org=" + name), {"items", "0", "id"});
    give_program(place);
    place.task = made(admin("POST", "/api/v1/tasks",
                            R"({"type": "execute_command", "command": "echo )" + name +
                                R"(-command", "agent_ids": [")" + place.agent + R"("]})"),
                      {"task_ids", "0"});
    place.batch = made(admin("GET", "/api/v1/tasks/" + place.task), {"batch_id"});
    made(admin("PUT", "/api/v1/views/" + name + "-view",
               R"({"query": "hostname:)" + name + R"(*", )" + in + "}"),
         {"name"});
    place.alert = made(admin("POST", "/api/v1/alerts",
                             R"({"name": ")" + name +
                                 R"(-alert", "query": "hostname:x", "above": 0, )" + in + "}"),
                       {"id"});
    place.webhook = made(
        admin("POST", "/api/v1/webhooks",
              R"({"name": ")" + name + R"(-webhook", "url": "https://192.0.2.1/", )" + in + "}"),
        {"id"});
    place.person = std::to_string(appoint(Role::read_only, place.org, name + "-person").id.value);
    return place;
  }

  /// What a site tells of two hosts: one with a flaw, one with an image, of which then most goes.
  void report(const std::string& key, const std::string& name) {
    const auto tell = [&](const std::string& target, const std::string& body) {
      const http::Response answer = server.ask({"POST", target, {{"X-Agent-Key", key}}, body});
      EXPECT_EQ(answer.status, 200) << answer.body;
    };
    const std::string host =
        R"j({"hostname": ")j" + name +
        R"j(-deb", "os": {"name": "Debian GNU/Linux", "version": "12 (bookworm)"}, "software": [)j";
    const std::string flawed = R"({"name": "examplelib", "version": "1.0-1", "ecosystem": "deb"})";
    std::string full = host + flawed;
    for (const char* more : {"a", "b", "c", "d", "e"}) {
      full += R"(, {"name": ")" + name + "-" + more + R"(", "version": "1"})";
    }
    tell("/api/agent/report", full + "]}");
    tell("/api/agent/container-scan?hostname=" + name + "-deb",
         R"j([{"Target": ")j" + name +
             R"j(-image:1 (debian 10.8)", "Type": "debian", "Vulnerabilities": [)j" +
             R"j({"VulnerabilityID": "CVE-2099-0001", "PkgName": "bash",)j" +
             R"j( "InstalledVersion": "5.0", "Severity": "LOW"}]}])j");
    tell("/api/agent/report", host + flawed + "]}");  // held for review
  }

  void give_program(const Place& place) {
    const http::Response blob =
        admin("POST", "/api/v1/blobs?org=" + place.name, "#!/bin/sh\necho test\n");
    made(admin("POST", "/api/v1/binaries",
               R"({"test_uuid": ")" + std::string(test_uuid) + R"(", "name": ")" + place.name +
                   R"(-program", "sha256": ")" + made(blob, {"sha256"}) + R"(", "org": ")" +
                   place.name + R"("})"),
         {"name"});
  }

  TestServer server;
  Place own, other;
};

bool is_of_operators(const Route& route) {
  return route.path.starts_with("/api/v1/") && route.guard != &stranger;
}

/// What the parameters of a route mean in a place.
std::string target_of(const Route& route, const Place& place, const Place& where) {
  const std::map<std::string_view, std::string> things = {
      {"agents", place.agent},     {"tasks", place.task},           {"results", place.task},
      {"batches", place.batch},    {"hosts", place.host},           {"tokens", place.token},
      {"keys", place.key},         {"findings", place.finding},     {"images", place.image},
      {"operators", place.person}, {"views", place.name + "-view"}, {"alerts", place.alert},
      {"webhooks", place.webhook}};
  const std::string_view path = route.path;
  const auto first = path.find('/', std::string_view("/api/v1/").size());
  const std::string_view noun = path.substr(8, first - 8);
  std::string target;
  std::string_view rest = path;
  for (bool second = false; !rest.empty(); second = true) {
    const auto colon = rest.find(':');
    target += rest.substr(0, colon);
    if (colon == std::string_view::npos) break;
    const auto slash = rest.find('/', colon);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    if (noun == "binaries") {
      target += second ? place.name + "-program" : std::string(test_uuid);
    } else if (noun == "tests") {
      target += test_uuid;
    } else if (second) {
      target += place.org;  // of a grant
    } else {
      const auto thing = things.find(noun);
      target += thing == things.end() ? "1" : thing->second;
    }
  }
  const std::string_view parameters = inputs_of(route.method, route.path)->parameters;
  // It is refused, whatever it names, by a route to which it says nothing (endpoints/inputs.h).
  if ((" " + std::string(parameters) + " ").find(" org ") == std::string::npos) return target;
  target += "?org=" + where.name;
  if (route.name == "show_settings" || route.name == "set_settings") {
    target += "&scope=host&target=" + place.host;
  }
  return target;
}

/// A body that is in order, about that place.
std::string body_of(const Route& route, const Place& place) {
  const std::string digest(64, 'a');
  const std::map<std::string_view, std::string> bodies = {
      {"create_operator",
       R"({"name": "new", "role": "read_only", "org": ")" + place.name + R"("})"},
      {"grant_role", R"({"role": "read_only"})"},
      {"create_key", R"({"name": "new"})"},
      {"create_tasks", R"({"type": "execute_command", "command": "true", "agent_ids": [")" +
                           place.agent + R"("]})"},
      {"add_task_note", R"({"text": "noted"})"},
      {"tag_agent", R"({"add": ["new"]})"},
      {"set_view", R"({"query": "os:linux"})"},
      {"create_alert", R"({"name": "new", "query": "os:linux", "above": 0})"},
      {"mute_alert", R"({"for_seconds": 60})"},
      {"create_webhook", R"({"name": "new", "url": "https://192.0.2.1/"})"},
      {"set_software_identity", R"({"name": "x", "skip": true})"},
      {"accept_finding", R"({"reason": "known"})"},
      {"set_settings", R"({"scan_interval": 3600})"},
      {"set_own_password", R"({"password": "correct horse battery staple"})"},
      {"upload_blob", "content"},
      {"register_test_binary", R"({"name": "new", "test_uuid": ")" + std::string(test_uuid) +
                                   R"(", "sha256": ")" + digest + R"("})"},
  };
  const auto body = bodies.find(route.name);
  if (body != bodies.end()) return body->second;
  return route.method == Method::get || route.method == Method::del ? "" : "{}";
}

/// The least role of a route as its guard says it, which endpoints/roles_test.cpp holds against the
/// list of all routes.
Role least_of(const Route& route) {
  if (route.guard == &role_admin || route.guard == &feed_importer) return Role::admin;
  if (route.guard == &role_operator) return Role::operations;
  if (route.guard == &role_analyst) return Role::analyst;
  return Role::read_only;
}

bool is_about_an_org(Reach reach) {
  return reach != Reach::server && reach != Reach::own && reach != Reach::shared;
}

/// Routes whose answer is a list of what the caller may see, wherever it is.
const std::set<std::string_view> lists_of_own = {"list_orgs"};

TEST_F(Reaching, OfAnotherOrganisationNothingIsThereForAnyRoleOnAnyRoute) {
  std::size_t asked = 0;
  for (const Role role : http::roles) {
    const std::string token = appoint(role, own.org, "asker").token;
    for (const Route& route : routes()) {
      const Reach reach = reach_of(route.name);
      if (!is_of_operators(route) || !is_about_an_org(reach)) continue;
      if (lists_of_own.count(route.name) == 1) continue;
      const http::Response answer = ask(token, http::method_name(route.method),
                                        target_of(route, other, other), body_of(route, other));
      const int expected = role >= least_of(route) ? 404 : 403;
      EXPECT_EQ(answer.status, expected)
          << http::role_name(role) << ": " << route.name << ": " << answer.body;
      EXPECT_EQ(answer.body.find("otherplace"), std::string::npos) << route.name << answer.body;
      ++asked;
    }
  }
  EXPECT_GT(asked, 300U);
}

TEST_F(Reaching, WhatIsNamedInThePathIsNotThereEvenWhenTheOwnOrganisationIsNamedBeside) {
  const std::string token = appoint(Role::owner, own.org, "asker").token;
  for (const Route& route : routes()) {
    if (!is_of_operators(route) || !is_about_an_org(reach_of(route.name))) continue;
    if (route.path.find(':') == std::string_view::npos || route.name == "summarise_test") continue;
    const http::Response answer = ask(token, http::method_name(route.method),
                                      target_of(route, other, own), body_of(route, other));
    // A name is of the own organisation: the one makes a view here, the other deletes that.
    const bool by_name = route.name == "set_view" || route.name == "delete_view";
    EXPECT_EQ(answer.status, by_name ? 200 : 404) << route.name << ": " << answer.body;
  }
}

TEST_F(Reaching, AnIdElsewhereIsAnsweredLikeOneThatNeverWas) {
  const std::string token = appoint(Role::owner, own.org, "asker").token;
  Place nowhere = other;
  nowhere.agent = nowhere.task = nowhere.batch = "0190f1c2-0000-7000-8000-00000000ffff";
  nowhere.host = nowhere.token = nowhere.key = nowhere.finding = nowhere.image = nowhere.alert =
      nowhere.webhook = nowhere.person = "999999999999";
  nowhere.name = "nowhere";
  for (const Route& route : routes()) {
    if (!is_of_operators(route) || !is_about_an_org(reach_of(route.name))) continue;
    if (route.path.find(':') == std::string_view::npos || route.name == "set_view") continue;
    const auto answer_for = [&](const Place& place) {
      const http::Response answer = ask(token, http::method_name(route.method),
                                        target_of(route, place, own), body_of(route, place));
      return std::to_string(answer.status) + " " + answer.body;
    };
    if (route.name == "delete_test_binary") continue;  // its message repeats the name in the path
    EXPECT_EQ(answer_for(other), answer_for(nowhere)) << route.name;
  }
}

TEST_F(Reaching, InTheOwnOrganisationARoleOpensItsRoutesAndThoseOfTheServerStayShut) {
  for (const Role role : http::roles) {
    const std::string token = appoint(role, own.org, "asker").token;
    for (const Route& route : routes()) {
      if (!is_of_operators(route) || route.name == "end_session") continue;
      // What ends a thing would hide it from the routes and roles that come after.
      if (route.name == "revoke_operator" || route.name == "revoke_grant" ||
          route.name == "delete_view" || route.name == "delete_test_binary" ||
          route.name == "delete_alert" || route.name == "delete_webhook") {
        continue;
      }
      const http::Response answer = ask(token, http::method_name(route.method),
                                        target_of(route, own, own), body_of(route, own));
      const bool open = role >= least_of(route) && reach_of(route.name) != Reach::server;
      EXPECT_EQ(answer.status != 403, open)
          << http::role_name(role) << ": " << route.name << ": " << answer.body;
      EXPECT_NE(answer.status, 401) << route.name;
      EXPECT_EQ(answer.body.find("otherplace"), std::string::npos)
          << http::role_name(role) << ": " << route.name << ": " << answer.body;
    }
  }
}

/// Every list, unasked of any organisation.
std::vector<std::string> lists() {
  std::vector<std::string> all;
  for (const Route& route : routes()) {
    if (!is_of_operators(route) || route.method != Method::get) continue;
    if (route.path.find(':') != std::string_view::npos || route.name == "show_settings") continue;
    all.emplace_back(route.path);
  }
  return all;
}

TEST_F(Reaching, ListsHaveWhatIsInTheOwnOrganisationAloneWithoutItsBeingNamed) {
  const std::string token = appoint(Role::owner, own.org, "asker").token;
  const std::string of_server = appoint(Role::owner, "", "everywhere").token;
  std::size_t tell_of_both = 0;
  for (const std::string& path : lists()) {
    const http::Response mine = ask(token, "GET", path);
    EXPECT_EQ(mine.body.find("otherplace"), std::string::npos) << path << ": " << mine.body;
    EXPECT_EQ(mine.body.find(other.agent), std::string::npos) << path << ": " << mine.body;
    const http::Response all = ask(of_server, "GET", path);
    EXPECT_EQ(all.status, 200) << path << ": " << all.body;
    const bool here = all.body.find("ownplace") != std::string::npos;
    if (!here || all.body.find("otherplace") == std::string::npos) continue;
    ++tell_of_both;
    EXPECT_NE(mine.body.find("ownplace"), std::string::npos) << path << ": " << mine.body;
  }
  EXPECT_GE(tell_of_both, 14U) << "lists that could have told of the other organisation";
}

TEST_F(Reaching, OfSeveralOrganisationsOneIsNamed) {
  const auto asker = appoint(Role::analyst, own.org, "asker");
  const auto grant = [&](Role role) {
    return admin("PUT",
                 "/api/v1/operators/" + std::to_string(asker.id.value) + "/grants/" + other.name,
                 R"({"role": ")" + std::string(http::role_name(role)) + R"("})");
  };
  ASSERT_EQ(grant(Role::admin).status, 200);
  EXPECT_EQ(ask(asker.token, "GET", "/api/v1/hosts").status, 400);
  EXPECT_EQ(ask(asker.token, "GET", "/api/v1/hosts?org=ownplace").status, 200);
  EXPECT_EQ(ask(asker.token, "GET", "/api/v1/hosts?org=otherplace").status, 200);
  EXPECT_EQ(ask(asker.token, "GET", "/api/v1/hosts?org=default").status, 404);
  EXPECT_EQ(ask(asker.token, "GET", "/api/v1/agents/" + own.agent).status, 200);
  EXPECT_EQ(ask(asker.token, "GET", "/api/v1/agents/" + other.agent).status, 200);
  // An administrator in one and an analyst in the other.
  EXPECT_EQ(ask(asker.token, "GET", "/api/v1/audit").status, 200) << "it is clear which is meant";
  EXPECT_EQ(ask(asker.token, "GET", "/api/v1/audit?org=ownplace").status, 403);
  EXPECT_EQ(ask(asker.token, "POST", "/api/v1/agents/" + other.agent + "/rotate-key").status, 200);
  EXPECT_EQ(ask(asker.token, "POST", "/api/v1/agents/" + own.agent + "/rotate-key").status, 403);
  EXPECT_EQ(ask(asker.token, "POST", "/api/v1/orgs", R"({"name": "third"})").status, 403);
}

TEST_F(Reaching, NoFilterOfTheAuditLogFindsWhatIsElsewhere) {
  const std::string token = appoint(Role::admin, own.org, "asker").token;
  const std::string ours = R"("org_id": )" + own.org + ",";
  const std::string theirs = R"("org_id": )" + other.org + ",";
  const std::string path = "/api/v1/audit?limit=1000&";
  const std::string actor =
      made(admin("GET", path + "target=" + other.key), {"items", "0", "actor"});
  const std::vector<std::string> filters = {
      "actor=" + actor, "action=tokens.create",       "actor=" + actor + "&action=tokens.create",
      "actor=server",   "since=2000-01-01T00:00:00Z", "until=2100-01-01T00:00:00Z"};
  for (const std::string& filter : filters) {
    const http::Response all = admin("GET", path + filter);
    EXPECT_NE(all.body.find(ours), std::string::npos) << filter << ": " << all.body;
    EXPECT_NE(all.body.find(theirs), std::string::npos) << filter << ": " << all.body;
    const http::Response mine = ask(token, "GET", path + filter);
    EXPECT_NE(mine.body.find(ours), std::string::npos) << filter << ": " << mine.body;
    EXPECT_EQ(mine.body.find(theirs), std::string::npos) << filter << ": " << mine.body;
    EXPECT_EQ(mine.body.find(R"("org_id": 0,)"), std::string::npos) << filter << ": " << mine.body;
    EXPECT_EQ(ask(token, "GET", path + filter + "&org=otherplace").status, 404) << filter;
    EXPECT_EQ(ask(token, "GET", path + filter + "&org=0").status, 404) << filter;
  }
  const std::string nothing =
      R"({"items": [], "next_cursor": null, "total": {"value": 0, "relation": "eq"}})";
  for (const std::string& target : {other.token, other.key, other.task, other.name + "-view"}) {
    EXPECT_NE(admin("GET", path + "target=" + target).body.find(theirs), std::string::npos);
    EXPECT_EQ(ask(token, "GET", path + "target=" + target).body, nothing);
  }
}

TEST_F(Reaching, AGrantHoldsFromItsAnswerOnForTokensAndSessions) {
  const auto asker = appoint(Role::analyst, own.org, "asker");
  const http::Response link = ask(asker.token, "POST", "/api/v1/console/links", "{}");
  const std::string url = made(link, {"url"});
  const http::Response entered = server.ask(
      {"POST", "/api/v1/sessions", {}, R"({"link": ")" + url.substr(url.find('#') + 1) + R"("})"});
  ASSERT_EQ(entered.status, 201) << entered.body;
  std::string cookie;
  for (const auto& [name, value] : entered.headers) {
    if (name == "Set-Cookie") cookie = value.substr(0, value.find(';'));
  }
  const auto statuses = [&](const std::string& org) {
    const std::string target = "/api/v1/hosts?org=" + org;
    return std::pair(ask(asker.token, "GET", target).status,
                     server.ask({"GET", target, {{"Cookie", cookie}}, ""}).status);
  };
  const std::string grant = "/api/v1/operators/" + std::to_string(asker.id.value) + "/grants/";
  EXPECT_EQ(statuses("otherplace"), std::pair(404, 404));
  ASSERT_EQ(admin("PUT", grant + "otherplace", R"({"role": "read_only"})").status, 200);
  EXPECT_EQ(statuses("otherplace"), std::pair(200, 200));
  ASSERT_EQ(admin("DELETE", grant + "otherplace").status, 200);
  EXPECT_EQ(statuses("otherplace"), std::pair(404, 404));
  ASSERT_EQ(admin("DELETE", grant + "ownplace").status, 200);
  EXPECT_EQ(statuses("ownplace"), std::pair(403, 403)) << "it is nothing anywhere any more";
}

TEST_F(Reaching, ARouteThatNobodyListedIsForRolesOnTheServer) {
  EXPECT_EQ(reach_of("no_such_route"), Reach::server);
  std::set<std::string_view> names;
  for (const Route& route : routes()) names.insert(route.name);
#define REACH(handler, where) EXPECT_EQ(names.count(#handler), 1U) << #handler " is no route";
#include "endpoints/reach.def"
#undef REACH
}

}  // namespace
}  // namespace muster::endpoints
