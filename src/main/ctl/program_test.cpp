// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/program.h"

#include <fstream>

#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

#include "base/test_directory.h"
#include "main/ctl/grammar.h"
#include "main/ctl/testing/canned.h"

namespace muster::ctl {
namespace {

using test::Desk;
using test::Transcript;

constexpr const char* findings = R"({"items": [
  {"id": 12, "hostname": "web-1", "cve": "CVE-2024-0001", "severity": "critical", "score": 9.8, "kev": true,
   "epss": 0.97567, "package": "openssl", "version": "3.0.11-1", "fixed_version": "3.0.13-1", "status": "open"},
  {"id": 7, "hostname": "evil\u001b[2J", "cve": null, "severity": "low", "kev": false,
   "package": "日本語", "version": "1.0", "fixed_version": null, "status": "accepted"}], "next_cursor": null})";

TEST(Findings, AreListedAsATable) {
  Desk desk;
  desk.server.on("GET /api/v1/findings?limit=1000", {200, findings});
  const Transcript done = desk.run({"findings", "list"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out,
            "ID  HOST         CVE            SEVERITY  PACKAGE  INSTALLED  FIXED     KEV  STATUS  "
            "  SCORE    EPSS\n"
            "12  web-1        CVE-2024-0001  critical  openssl  3.0.11-1   3.0.13-1  yes  open    "
            "    9.8  97.6 %\n"
            "7   evil\\x1b[2J  —              low       日本語   1.0        —         no   accepted"
            "      —       —\n");
  EXPECT_EQ(done.err, "2 findings\n");
}

TEST(Findings, AreFilteredByTheServer) {
  Desk desk;
  desk.server.on(
      "GET /api/v1/findings?limit=1000&host=web%201&cve=CVE-2024-0001&kev=true&min_severity=high",
      {200, R"({"items": [], "next_cursor": null})"});
  const Transcript done = desk.run({"findings", "list", "--host", "web 1", "--cve", "CVE-2024-0001",
                                    "--kev", "--min-severity", "high"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(done.err, "no findings\n");
}

TEST(Findings, AreExplainedToAPerson) {
  Desk desk;
  desk.server.on("GET /api/v1/findings/12/explain", {200, R"j({"id": 12, "hostname": "web-1",
    "cve": "CVE-2024-0001", "advisory": "CVE-2024-0001", "aliases": ["CVE-2024-0001", "DSA-1-1"], "feed": "debian",
    "package": "libssl3", "version": "3.0.11-1~deb12u1", "fixed_version": "3.0.13-1",
    "severity": "high", "kev": true, "kev_due_date": "2024-02-01", "status": "open",
    "opened_at": "2026-03-21T14:30:01Z", "resolved_at": null, "resolution": "",
    "urgency": "not yet assigned", "summary": "An overflow.\u001b[1m",
    "evidence": {"feed": "debian", "advisory": "CVE-2024-0001", "package": "openssl",
      "distro": "debian:12", "scheme": "deb", "installed": "3.0.11-1~deb12u1",
      "range": {"introduced": null, "fixed": "3.0.13-1", "last_affected": null},
      "sentence": "3.0.11-1~deb12u1 < 3.0.13-1 (deb)"}})j"});
  const Transcript done = desk.run({"findings", "explain", "12"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out,
            "CVE-2024-0001 (also DSA-1-1): libssl3 3.0.11-1~deb12u1 on web-1\n"
            "An overflow.\\x1b[1m\n"
            "\n"
            "severity   high (the publisher says: not yet assigned)\n"
            "exploited  yes, in the KEV catalogue: fix by 2024-02-01\n"
            "state      open since 2026-03-21 14:30:01Z\n"
            "installed  libssl3 3.0.11-1~deb12u1\n"
            "advisory   CVE-2024-0001 of the feed debian, for openssl in debian:12\n"
            "affected   every version before 3.0.13-1\n"
            "scheme     versions are ordered as deb\n"
            "therefore  3.0.11-1~deb12u1 < 3.0.13-1 (deb)\n"
            "fix        update to 3.0.13-1\n");
}

TEST(Findings, ByCpeAreExplainedWithTheirCriteriaAndCaveats) {
  Desk desk;
  const auto explain = [&](const std::string& range) {
    desk.server.on(
        "GET /api/v1/findings/12/explain",
        {200,
         R"({"id": 12, "evidence": {"range": {)" + range +
             R"(}, "criteria": "cpe:2.3:a:v:p:1:*:*:*:*:*:*:*", "caveats": ["one", "two"]}})"});
    return desk.run({"findings", "explain", "12"}).out;
  };
  const std::string exact = explain("");
  EXPECT_NE(exact.find("affected   what the criteria name\n"), std::string::npos) << exact;
  EXPECT_NE(exact.find("criteria   cpe:2.3:a:v:p:1:*:*:*:*:*:*:*\n"), std::string::npos) << exact;
  EXPECT_NE(exact.find("but        one\n"), std::string::npos) << exact;
  EXPECT_NE(exact.find("but        two\n"), std::string::npos) << exact;
  const std::string ranged = explain(R"("after": "1", "fixed": "2")");
  EXPECT_NE(ranged.find("affected   after 1 before 2\n"), std::string::npos) << ranged;
}

TEST(Json, MayComeLastAndIsAllThatIsPrinted) {
  Desk desk;
  desk.server.on("GET /api/v1/orgs?limit=1000",
                 {200, R"({"items": [{"id": 1, "name": "default"}], "next_cursor": "1"})"});
  desk.server.on("GET /api/v1/orgs?limit=1000&cursor=1",
                 {200, R"({"items": [{"id": 2, "name": "a\u009bb"}], "next_cursor": null})"});
  const std::string expected =
      "[{\"id\": 1, \"name\": \"default\"}, {\"id\": 2, \"name\": \"a\\u009bb\"}]\n";
  for (const std::vector<std::string>& line : {std::vector<std::string>{"orgs", "list", "--json"},
                                               {"orgs", "--json", "list"},
                                               {"--json", "orgs", "list"}}) {
    const Transcript done = desk.run(line);
    EXPECT_EQ(done.code, 0);
    EXPECT_EQ(done.out, expected);
    EXPECT_EQ(done.err, "");
  }
}

TEST(Json, OfAnEmptyListIsAnEmptyArray) {
  Desk desk;
  desk.server.on("GET /api/v1/keys?limit=1000", {200, R"({"items": [], "next_cursor": null})"});
  const Transcript done = desk.run({"keys", "list", "--json"});
  EXPECT_EQ(done.out, "[]\n");
  EXPECT_EQ(done.err, "");
}

TEST(Json, OfAnObjectIsTheServersOwn) {
  Desk desk;
  desk.server.on("POST /api/v1/orgs", {201, R"({"id": 3, "name": "acme", "n": 1.50})"});
  const Transcript done = desk.run({"orgs", "create", "--name", "acme", "--json"});
  EXPECT_EQ(done.out, "{\"id\": 3, \"name\": \"acme\", \"n\": 1.50}\n");
}

TEST(Json, IsTheFormOfFailuresToo) {
  Desk desk;
  desk.server.on("GET /api/v1/hosts/nobody",
                 {404, R"({"error": "not_found", "message": "There is no such host."})"});
  const Transcript refused = desk.run({"hosts", "show", "nobody", "--json"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(refused.err, "{\"error\": \"not_found\", \"message\": \"There is no such host.\"}\n");
  const Transcript misused = desk.run({"hosts", "list", "--bogus", "--json"});
  EXPECT_EQ(misused.code, 2);
  EXPECT_EQ(misused.out, "");
  EXPECT_EQ(misused.err,
            "{\"error\": \"usage\", \"message\": "
            "\"The following argument was not expected: --bogus\"}\n");
}

TEST(ExitCodes, TellARefusalFromAMistake) {
  Desk desk;
  desk.server.on("POST /api/v1/tokens",
                 {400, R"({"error": "invalid_field", "message": "must be positive",
                           "field": "max_uses"})"});
  const Transcript refused = desk.run({"tokens", "create", "--max-uses", "0"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.err, "muster: --max-uses: must be positive\n");
  EXPECT_EQ(desk.run({"hosts", "list"}).code, 1) << "nothing answers";
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{},
        {"nonsense"},
        {"tokens"},
        {"tokens", "nonsense"},
        {"tokens", "create", "--ttl", "24"},
        {"tokens", "create", "--max-uses", "many"},
        {"tokens", "revoke"},
        {"hosts", "show", ""},
        {"hosts", "show", "a", "b"},
        {"hosts", "list", "--limit", "0"},
        {"agents", "list", "--os", "beos"},
        {"findings", "list", "--cve", "nope"},
        {"events", "list", "--since", "yesterday"},
        {"tasks", "list", "--status", "x"},
        {"findings", "list", "--min-severity", "dreadful"},
        {"settings", "set", "--scope", "org", "novalue"},
        {"settings", "set", "--scope", "galaxy", "a=1"},
        {"--server", "ftp://x", "hosts", "list"},
        {"config", "explain", "--config", "/nonexistent.toml"}}) {
    const Transcript done = desk.run(line);
    EXPECT_EQ(done.code, 2) << done.err;
    EXPECT_EQ(done.out, "");
    EXPECT_NE(done.err, "");
  }
}

TEST(ExitCodes, OfHelpAndVersionAreZero) {
  Desk desk;
  const Transcript version = desk.run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out, "muster 9.9.9\n");
  EXPECT_EQ(desk.run({"--help"}).code, 0);
}

/// Looks at all verbs of a noun or of the program; `words` is how it is called.
void expect_examples(const CLI::App& app, const std::string& words) {
  const auto verbs = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* verb : verbs) expect_examples(*verb, words + " " + verb->get_name());
  if (!verbs.empty()) return;
  const std::string footer = app.get_footer();
  EXPECT_TRUE(footer.starts_with("Example:\n  " + words)) << words << ": " << footer;
}

TEST(Help, OfEveryVerbHasAnExampleThatIsItsOwn) {
  CLI::App root;
  const Grammar grammar(root);
  expect_examples(grammar.tree(), "muster");
  Desk desk;
  const Transcript done = desk.run({"tokens", "create", "--help"});
  EXPECT_EQ(done.code, 0);
  EXPECT_NE(done.out.find("Example:\n  muster tokens create"), std::string::npos) << done.out;
}

TEST(Help, SaysWhatAFlagChoosesFrom) {
  Desk desk;
  const std::string help = desk.run({"agents", "list", "--help"}).out;
  EXPECT_NE(help.find("Only agents with this presence: online"), std::string::npos) << help;
  EXPECT_NE(help.find("unknown"), std::string::npos) << help;
}

TEST(Requests, HaveTheMembersThatWereGiven) {
  Desk desk;
  const auto body_of = [&](const std::vector<std::string>& line) {
    desk.run(line);
    return desk.server.requests.back().body;
  };
  EXPECT_EQ(body_of({"tokens", "create"}), "{}");
  EXPECT_EQ(body_of({"tokens", "create", "--ttl", "24h", "--max-uses", "10", "--org", "7"}),
            R"({"ttl_seconds": 86400, "max_uses": 10, "org": "7"})");
  EXPECT_EQ(body_of({"keys", "create", "--name", "a \"b\"", "--scope", "agent", "--scope", "read"}),
            R"({"name": "a \"b\"", "scopes": ["agent", "read"]})");
  EXPECT_EQ(body_of({"tasks", "create", "--type", "execute_command", "--agent", "A", "B",
                     "--command", "uname -a", "--timeout", "2m", "--redeliver"}),
            R"({"type": "execute_command", "agent_ids": ["A", "B"], "command": "uname -a", )"
            R"("execution_timeout": 120, "redeliver": true})");
  EXPECT_EQ(
      body_of({"settings", "set", "--scope", "org", "scan_interval=3600", "include_updates=true",
               "minimum_agent_version=1.2.0", "x=\"2\"", "y=null", "z="}),
      R"({"scan_interval": 3600, "include_updates": true, )"
      R"("minimum_agent_version": "1.2.0", "x": "2", "y": null, "z": ""})");
}

TEST(Requests, GoWhereTheVerbSays) {
  Desk desk;
  const auto line_of = [&](const std::vector<std::string>& line) {
    desk.run(line);
    const auto& request = desk.server.requests.back();
    return std::string(http::method_name(request.method)) + " " + request.target;
  };
  EXPECT_EQ(line_of({"tokens", "revoke", "17"}), "DELETE /api/v1/tokens/17");
  EXPECT_EQ(line_of({"agents", "disable", "a/b"}), "POST /api/v1/agents/a%2Fb/disable");
  EXPECT_EQ(line_of({"hosts", "show", "list"}), "GET /api/v1/hosts/list");
  EXPECT_EQ(line_of({"tasks", "cancel", "t"}), "POST /api/v1/tasks/t/cancel");
  EXPECT_EQ(line_of({"results", "list", "--task", "t"}), "GET /api/v1/tasks/t/results?limit=1000");
  EXPECT_EQ(line_of({"settings", "show", "--scope", "tag", "--target", "lap top"}),
            "GET /api/v1/settings?scope=tag&target=lap%20top");
  EXPECT_EQ(line_of({"settings", "set", "--scope", "host", "--target", "web-1", "a=1"}),
            "PUT /api/v1/settings?scope=host&target=web-1");
}

TEST(Limits, ShowThatManyAndSayThatThereIsMore) {
  Desk desk;
  desk.server.on("GET /api/v1/orgs?limit=2",
                 {200, R"({"items": [{"id": 1, "name": "a", "created_at": "2026-03-21T14:30:01Z"},
                                     {"id": 2, "name": "b", "created_at": null}],
                           "next_cursor": null})"});
  const Transcript done = desk.run({"orgs", "list", "--limit", "1"});
  EXPECT_EQ(done.out,
            "ID  NAME  CREATED\n"
            "1   a     2026-03-21 14:30:01Z\n");
  EXPECT_EQ(done.err, "1 organisation shown, there are more (--limit)\n");
}

TEST(Hosts, AreShownWithTheirSoftware) {
  Desk desk;
  desk.server.on("GET /api/v1/hosts/web-1", {200, R"({"id": 5, "hostname": "web-1",
    "tags": ["a", "b"], "agent_id": null, "presence": "offline", "packages": 1,
    "software": [{"name": "openssl", "version": "3.0", "vendor": "", "ecosystem": "deb", "cpe": "",
      "origin": "distribution", "assessment": {"state": "not_vulnerable", "reason": "outside_ranges"}}]})"});
  const Transcript done = desk.run({"hosts", "show", "web-1"});
  EXPECT_EQ(
      done.out,
      "id        5\n"
      "hostname  web-1\n"
      "tags      a, b\n"
      "agent     —\n"
      "presence  offline\n"
      "packages  1\n"
      "\n"
      "NAME     VERSION  VENDOR  ECOSYSTEM  ORIGIN        ASSESSMENT      REASON          CPE\n"
      "openssl  3.0              deb        distribution  not_vulnerable  outside_ranges\n");
  EXPECT_EQ(done.err, "1 package\n");
}

TEST(Agents, HaveAHistoryOfSamples) {
  Desk desk;
  const std::string answer = R"({"agent_id": "a", "every": 1, "points": [)"
                             R"({"at": "2026-03-21T14:30:00Z", "status": "idle",)"
                             R"( "uptime_seconds": 3600, "cpu_percent": 12.5, "memory_mb": 2048,)"
                             R"( "disk_free_mb": null}]})";
  desk.server.on("GET /api/v1/agents/a/history?days=1", {200, answer});
  const Transcript done = desk.run({"agents", "history", "a", "--days", "1"});
  EXPECT_NE(done.out.find("2026-03-21 14:30:00Z  idle  1 h"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("12.5 %"), std::string::npos);
  EXPECT_EQ(done.err, "1 sample\n");
  const Transcript json = desk.run({"agents", "history", "a", "--days", "1", "--json"});
  EXPECT_EQ(json.out, answer + "\n") << "the points as the server gave them";
}

TEST(Tasks, ShowTheirOutputWithoutObeyingIt) {
  Desk desk;
  desk.server.on("GET /api/v1/tasks/t", {200, R"({"id": "t", "status": "failed",
    "result": {"exit_code": 3, "stdout": "one\r\n\ttwo\u001b[31m", "stdout_truncated": true,
               "stderr": ""}})"});
  EXPECT_EQ(desk.run({"tasks", "show", "t"}).out,
            "id         t\n"
            "status     failed\n"
            "exit code  3\n"
            "\n"
            "stdout, cut:\n"
            "one\n"
            "\ttwo\\x1b[31m\n");
}

TEST(Results, ListAHistoryOrTheRowsOfOne) {
  Desk desk;
  desk.server.on("GET /api/v1/results?limit=1000&host=web-1&test_uuid=u&outcome=unprotected",
                 {200, R"({"items":
    [{"id": "t", "hostname": "web-1", "outcome": "unprotected", "exit_code": 101, "label": "Disk",
      "flags": ["totals_differ", "in_the_future"], "execution_duration_ms": 41,
      "received_at": "2026-03-21T14:30:00Z"}], "next_cursor": null})"});
  EXPECT_EQ(desk.run({"results", "list", "--host", "web-1", "--test-uuid", "u", "--outcome",
                      "unprotected"})
                .out,
            "ID  HOSTNAME  OUTCOME      EXIT  WHAT  FLAGS                         MS  RECEIVED\n"
            "t   web-1     unprotected   101  Disk  totals_differ, in_the_future  41  2026-03-21 "
            "14:30:00Z\n");
  desk.server.on("GET /api/v1/tasks/t/results?limit=1000", {200, R"({"items": [{"control_id": "c",
    "exit_code": 126}], "next_cursor": null})"});
  EXPECT_EQ(desk.run({"results", "list", "--task", "t", "--json"}).out,
            "[{\"control_id\": \"c\", \"exit_code\": 126}]\n");
  EXPECT_NE(desk.run({"results", "list", "--task", "t", "--host", "h"}).code, 0);
}

TEST(Results, ShowControlsAndOutput) {
  Desk desk;
  desk.server.on("GET /api/v1/results/t", {200, R"({"id": "t", "outcome": "protected",
    "exit_code": 126, "flags": [], "stdout": "said\n", "stdout_truncated": false, "stderr": "",
    "bundle": null, "controls": [{"position": 1, "control_id": "c", "outcome": "protected"}]})"});
  const std::string out = desk.run({"results", "show", "t"}).out;
  EXPECT_EQ(out.find("task       t\noutcome    protected\nexit code  126\n"), 0U) << out;
  EXPECT_NE(out.find("CONTROL"), std::string::npos) << out;
  EXPECT_TRUE(out.ends_with("\nstdout:\nsaid\n")) << out;
}

TEST(Results, AreSummedUpByHost) {
  Desk desk;
  desk.server.on("GET /api/v1/tests/u/summary?org=1", {200, R"({"test_uuid": "u", "hosts": 3,
    "unprotected": 1, "error": 0, "protected": 2, "inconclusive": 0, "not_run": 0})"});
  EXPECT_EQ(desk.run({"results", "summary", "--test-uuid", "u", "--org", "1"}).out,
            "test          u\nhosts         3\nunprotected   1\nerror         0\n"
            "protected     2\ninconclusive  0\nnot run       0\n");
}

TEST(Feeds, AreSentByteForByte) {
  TestDirectory directory;
  const std::string path = directory.path() + "/kev.json.gz";
  const std::string bytes("\x1f\x8b\x00\r\n\xff", 6);
  std::ofstream(path, std::ios::binary) << bytes;
  Desk desk;
  desk.server.on("POST /api/v1/feeds/kev", {200, R"({"kind": "kev", "records": 3, "skipped": 1,
    "remarks": ["row 2: has no id"]})"});
  const Transcript done = desk.run({"feeds", "import", "--kind", "kev", path});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(desk.server.requests.at(0).body, bytes);
  EXPECT_EQ(done.out, "kind     kev\nrecords  3\nskipped  1\n");
  EXPECT_EQ(done.err, "skipped: row 2: has no id\n");
}

TEST(Feeds, OfOneFormAreSentTogether) {
  TestDirectory directory;
  const std::string plain = directory.path() + "/nvd.json";
  const std::string zipped = directory.path() + "/nvd.json.gz";
  std::ofstream(plain) << "{}";
  std::ofstream(zipped) << "\x1f\x8b";
  Desk desk;
  desk.server.on("POST /api/v1/feeds/nvd", {200, R"({"kind": "nvd"})"});
  EXPECT_EQ(desk.run({"feeds", "import", "--kind", "nvd", plain, plain}).code, 0);
  EXPECT_EQ(desk.server.requests.at(0).body, "{}{}");
  const Transcript mixed = desk.run({"feeds", "import", "--kind", "nvd", plain, zipped});
  EXPECT_NE(mixed.code, 0);
  EXPECT_NE(mixed.err.find("several files must all be plain"), std::string::npos);
  EXPECT_EQ(desk.server.requests.size(), 1U);
}

TEST(Versions, CompareWithoutAServer) {
  Desk desk;
  EXPECT_EQ(desk.run({"versions", "compare", "--scheme", "deb", "1.0~rc1", "1.0"}).out, "-1\n");
  EXPECT_EQ(desk.run({"versions", "compare", "--scheme", "deb", "1.0", "1.00"}).out, "0\n");
  EXPECT_EQ(desk.run({"versions", "compare", "--scheme", "deb", "1:0", "9", "--json"}).out, "1\n");
  EXPECT_EQ(desk.run({"versions", "compare", "--scheme", "deb", "unknown", "1"}).code, 2);
  EXPECT_EQ(desk.run({"versions", "compare", "--scheme", "deb", "1"}).code, 2);
  EXPECT_EQ(desk.run({"versions", "compare", "--scheme", "nonsense", "1", "2"}).code, 2);
  EXPECT_TRUE(desk.addresses.empty());
}

TEST(Versions, AnswerEveryLineInItsPlace) {
  Desk desk;
  const std::string lines = "deb\t1\t2\r\nnonsense\t1\t2\ndeb 2 1\n\ndeb\t1\t1";
  const Transcript done = desk.run({"versions", "compare"}, lines);
  EXPECT_EQ(done.out, "-1\n?\n1\n?\n0\n");
  EXPECT_EQ(done.code, 2);
  const Transcript json = desk.run({"versions", "compare", "--json"}, lines);
  EXPECT_EQ(json.out, "[-1, null, 1, null, 0]\n");
  EXPECT_EQ(desk.run({"versions", "compare"}, "deb\t1\t2\n").code, 0);
}

TEST(Config, IsExplainedWithTheFilesValues) {
  TestDirectory directory;
  const std::string path = directory.path() + "/musterd.toml";
  std::ofstream(path) << "[limits]\nreport_per_minute = 7\n";
  Desk desk;
  const Transcript done = desk.run({"config", "explain", "--config", path, "--json"});
  EXPECT_EQ(done.code, 0) << done.err;
  const auto set = R"("key": "limits.report_per_minute", "value": 7, "default": 60)";
  EXPECT_NE(done.out.find(set), std::string::npos) << done.out;
  std::ofstream(path) << "[limits]\nreports_per_minute = 7\n";
  const Transcript refused = desk.run({"config", "explain", "--config", path});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("limits.reports_per_minute"), std::string::npos) << refused.err;
}

TEST(Servers, AreChosenByFlagThenEnvironmentThenDefault) {
  Desk desk;
  desk.run({"hosts", "list"});
  desk.url = "http://127.0.0.1:9/";
  desk.run({"hosts", "list"});
  desk.run({"hosts", "list", "--server", "https://muster.example"});
  ASSERT_EQ(desk.addresses.size(), 3U);
  EXPECT_EQ(desk.addresses[0].origin, "http://127.0.0.1:8480");
  EXPECT_EQ(desk.addresses[1].origin, "http://127.0.0.1:9");
  EXPECT_EQ(desk.addresses[2].origin, "https://muster.example");
}

TEST(Tokens, AreChosenByFlagThenEnvironmentThenDefaultFile) {
  TestDirectory directory;
  const std::string given = directory.path() + "/given";
  const std::string usual = directory.path() + "/usual";
  std::ofstream(given) << "op_given\n";
  std::ofstream(usual) << "op_usual\n";
  Desk desk;
  const auto token_of = [&](const std::vector<std::string>& line) {
    EXPECT_EQ(desk.run(line).code, 1);
    return desk.server.requests.back().headers.at(0).second;
  };
  desk.token_file = usual;
  EXPECT_EQ(token_of({"hosts", "list", "--token-file", given}), "Bearer op_given");
  EXPECT_EQ(token_of({"hosts", "list"}), "Bearer op_test");
  desk.token.clear();
  EXPECT_EQ(token_of({"hosts", "list"}), "Bearer op_usual");
  desk.token_file = directory.path() + "/absent";
  EXPECT_EQ(desk.run({"hosts", "list"}).code, 2);
  EXPECT_EQ(desk.run({"hosts", "list", "--token-file", desk.token_file}).code, 2);
}

TEST(Tokens, WithLineEndsInsideAreNeverSent) {
  Desk desk;
  desk.token = "op\r\nX-Evil: 1";
  EXPECT_EQ(desk.run({"hosts", "list"}).code, 2);
  EXPECT_TRUE(desk.server.requests.empty());
}

}  // namespace
}  // namespace muster::ctl
