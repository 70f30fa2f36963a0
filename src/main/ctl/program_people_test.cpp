// SPDX-License-Identifier: Apache-2.0
// What the command line shows people on a terminal, as it is and as narrow as it is.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "main/ctl/program.h"
#include "main/ctl/testing/canned.h"

namespace muster::ctl {
namespace {

using test::Desk;
using test::Transcript;

TEST(Findings, OnANarrowTerminalKeepWhatDecidesAndSayWhatIsMissing) {
  Desk desk;
  desk.look.width = 80;
  desk.server.on("GET /api/v1/findings?limit=1000", {200, R"({"items": [
    {"id": 118087515157623, "hostname": "web-1.example.org", "cve": "CVE-2024-10001", "severity": "critical",
     "score": 9.8, "kev": true, "epss": null, "package": "linux-image-amd64", "version": "3.0.11-1~deb12u1",
     "fixed_version": "3.0.13-1", "status": "open"}], "next_cursor": null})"});
  const Transcript narrow = desk.run({"findings", "list"});
  const std::string headings = narrow.out.substr(0, narrow.out.find('\n'));
  for (const char* heading : {"ID", "HOST", "CVE", "SEVERITY", "PACKAGE", "INSTALLED", "FIXED"}) {
    EXPECT_NE(headings.find(heading), std::string::npos) << heading << " of " << headings;
  }
  EXPECT_NE(narrow.out.find("118087515157623"), std::string::npos) << "an id is copied";
  EXPECT_NE(narrow.err.find("--wide shows all"), std::string::npos) << narrow.err;
  EXPECT_EQ(narrow.err.find("EPSS"), std::string::npos) << "an empty column is not missed";
  const Transcript whole = desk.run({"findings", "list", "--wide"});
  EXPECT_NE(whole.out.find("3.0.11-1~deb12u1"), std::string::npos) << whole.out;
  EXPECT_EQ(whole.err, "1 finding\n");
}

TEST(Config, IsExplainedInWholeSentencesOnANarrowTerminal) {
  Desk desk;
  desk.look.width = 60;
  const Transcript done = desk.run({"config", "explain"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out.find("…"), std::string::npos) << done.out;
}

TEST(Config, OfTheServerIsShownForPeopleAndHandedOnToPrograms) {
  Desk desk;
  const std::string rows =
      R"([{"key": "limits.report_per_minute", "value": 7, "default": 60, "changed": true, )"
      R"("meaning": "reports a minute for each inventory key; 0 is off"}, )"
      R"({"key": "--listen", "value": "127.0.0.1:8480", "default": "127.0.0.1:8480", )"
      R"("changed": false, "meaning": "ADDRESS:PORT to listen on"}])";
  desk.server.on("GET /api/v1/config", {200, rows});
  const Transcript shown = desk.run({"config", "show"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* part :
       {"IN FORCE", "limits.report_per_minute", "reports a minute for each inventory key",
        "--listen", "ADDRESS:PORT to listen on"}) {
    EXPECT_NE(shown.out.find(part), std::string::npos) << part << " of " << shown.out;
  }
  EXPECT_EQ(shown.err, "2 settings\n");
  const Transcript changed = desk.run({"config", "show", "--changed"});
  EXPECT_NE(changed.out.find("limits.report_per_minute"), std::string::npos) << changed.out;
  EXPECT_EQ(changed.out.find("--listen"), std::string::npos) << changed.out;
  const Transcript handed = desk.run({"config", "show", "--json"});
  EXPECT_EQ(handed.code, 0);
  EXPECT_NE(handed.out.find(R"("key": "limits.report_per_minute", "value": 7)"), std::string::npos)
      << handed.out;
  EXPECT_EQ(handed.err, "");
}

TEST(Feeds, ThatWereNeverImportedAreNotShownAsFresh) {
  Desk desk;
  desk.server.on("GET /api/v1/feeds?limit=1000", {200, R"({"items": [
    {"kind": "kev", "records": 0, "imported_at": null, "stale": false},
    {"kind": "epss", "records": 1, "imported_at": "2026-03-21T14:30:01Z", "stale": false}],
    "next_cursor": null})"});
  const Transcript done = desk.run({"feeds", "status"});
  const std::string kev = done.out.substr(done.out.find("kev"), done.out.find("epss") - 4);
  EXPECT_NE(kev.find("none"), std::string::npos) << done.out;
  EXPECT_EQ(done.out.find("none", done.out.find("epss")), std::string::npos) << done.out;
}

TEST(Audit, NamesOperatorsForPeopleAndKeepsTheirNumbersForPrograms) {
  Desk desk;
  desk.server.on("GET /api/v1/audit?limit=1000", {200, R"({"items": [
    {"at": "2026-03-21T14:30:01Z", "actor": "operator:118", "actor_name": "ada", "action": "keys.create", "target": "7", "details": {}},
    {"at": "2026-03-21T14:30:01Z", "actor": "operator:119", "actor_name": null, "action": "keys.revoke", "target": "7", "details": {}}],
    "next_cursor": null})"});
  const Transcript done = desk.run({"audit", "list"});
  EXPECT_NE(done.out.find("ada "), std::string::npos) << done.out;
  EXPECT_EQ(done.out.find("operator:118"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("operator:119"), std::string::npos) << "one that is not known";
  const Transcript json = desk.run({"audit", "list", "--json"});
  EXPECT_NE(json.out.find("operator:118"), std::string::npos) << json.out;
}

TEST(Refusals, OfATypeOfEventsNameThoseThatThereAre) {
  Desk desk;
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"events", "list", "--type", "online"},
        {"webhooks", "create", "pager", "https://192.0.2.1/", "--event", "alert_ok", "online"}}) {
    const Transcript done = desk.run(line);
    EXPECT_EQ(done.code, 2);
    EXPECT_NE(done.err.find("online"), std::string::npos) << done.err;
    EXPECT_NE(done.err.find("came_online"), std::string::npos) << done.err;
    EXPECT_NE(done.err.find("webhook_test"), std::string::npos) << done.err;
  }
}

TEST(Refusals, NameTheFlagOfAMember) {
  Desk desk;
  desk.server.on(
      "POST /api/v1/tokens",
      {400,
       R"({"error": "invalid_field", "message": "must be between 60 and 9", "field": "ttl_seconds"})"});
  const Transcript done = desk.run({"tokens", "create", "--ttl", "0s"});
  EXPECT_EQ(done.code, 1);
  EXPECT_NE(done.err.find("--ttl: must be between"), std::string::npos) << done.err;
  EXPECT_EQ(done.err.find("ttl_seconds"), std::string::npos) << done.err;
}

TEST(TablesForPeople, EndAfterAPage) {
  Desk desk;
  std::string items;
  for (int i = 1; i <= 1000; ++i)
    items += (i > 1 ? ", " : "") + ("{\"id\": " + std::to_string(i)) + "}";
  desk.server.on("GET /api/v1/orgs?limit=1000",
                 {200, "{\"items\": [" + items + "], \"next_cursor\": \"1000\"}"});
  desk.server.on("GET /api/v1/orgs?limit=1&cursor=1000",
                 {200, R"({"items": [{"id": 1001}], "next_cursor": "1001"})"});
  const Transcript done = desk.run({"orgs", "list"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.err, "1000 organisations shown, there are more (--limit)\n");
}

TEST(Help, FitsAPage) {
  Desk desk;
  for (const std::vector<std::string>& verb : {std::vector<std::string>{"scan"},
                                               {"doctor"},
                                               {"tasks", "create"},
                                               {"operators", "create"}}) {
    std::vector<std::string> line = verb;
    line.emplace_back("--help");
    std::istringstream lines(desk.run(line).out);
    for (std::string text; std::getline(lines, text);) {
      // An example is copied, and stays whole.
      if (text.starts_with("  muster ")) continue;
      EXPECT_LE(display_width(text), 80U) << text;
    }
  }
}

TEST(Images, TakeTheirIdLikeEveryOtherNoun) {
  Desk desk;
  desk.server.on("GET /api/v1/images/7/findings?limit=1000",
                 {200, R"({"items": [], "next_cursor": null})"});
  EXPECT_EQ(desk.run({"images", "findings", "7"}).code, 0);
}

TEST(Routes, AreThoseOfTheList) {
  Desk desk;
  const Transcript done = desk.run({"routes", "--json"});
  EXPECT_EQ(done.code, 0);
  EXPECT_NE(
      done.out.find(R"({"method": "POST", "path": "/api/agent/enroll", "callers": "anybody", )"
                    R"("role": null, "body_bytes_max": 8192})"),
      std::string::npos)
      << done.out;
  EXPECT_NE(done.out.find(R"("path": "/api/v1/orgs", "callers": "role admin", "role": "admin")"),
            std::string::npos)
      << done.out;
  const Transcript table = desk.run({"routes"});
  for (const char* internal : {"inventory_key", "device_key", "role_", "shared", "RUNS ON"}) {
    EXPECT_EQ(table.out.find(internal), std::string::npos) << internal;
  }
}

}  // namespace
}  // namespace muster::ctl
