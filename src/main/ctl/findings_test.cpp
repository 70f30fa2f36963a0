// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/grammar.h"

#include <gtest/gtest.h>

#include "main/ctl/testing/canned.h"

namespace muster::ctl {
namespace {

using test::Desk;
using test::Transcript;

TEST(Findings, AreExplainedWithTheirComparisonMadeAgain) {
  Desk desk;
  desk.server.on("GET /api/v1/findings/12/explain", {200, R"j({"id": 12,
    "acceptance": {"reason": "why", "accepted_by": "operator:1", "accepted_by_name": "ada", "until": null},
    "explanation": {"holds": false, "steps": [
      {"step": "identity", "holds": true, "text": "a deb"},
      {"step": "versions", "holds": false, "text": "9 < 3: no"}]},
    "feeds": [{"feed": "nvd", "stale": false}, {"feed": "debian", "stale": true,
               "imported_at": "2026-03-01T00:00:00Z"}]})j"});
  const Transcript done = desk.run({"findings", "explain", "12"});
  EXPECT_NE(done.out.find("accepted   by ada, for good: why\n"), std::string::npos);
  EXPECT_NE(done.out.find("identity  yes    a deb\n"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("versions  no     9 < 3: no\n"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("It does not hold with what the feeds and the host say now.\n"),
            std::string::npos);
  EXPECT_NE(done.err.find("the feed debian is stale: imported 2026-03-01"), std::string::npos)
      << done.err;
}

TEST(Findings, InGroupsStandOutAsTheyDoAlone) {
  Desk desk;
  desk.look.colour = true;
  const std::string finding = R"("severity": "critical", "kev": true)";
  desk.server.on(
      "GET /api/v1/finding-groups?limit=1000",
      {200, R"({"items": [{"key": "openssl", )" + finding + R"(}], "next_cursor": null})"});
  desk.server.on("GET /api/v1/findings?limit=1000",
                 {200, R"({"items": [{"id": 1, )" + finding + R"(}], "next_cursor": null})"});
  for (const char* verb : {"groups", "list"}) {
    const std::string out = desk.run({"findings", verb}).out;
    EXPECT_NE(out.find("\x1b[1;31mcritical"), std::string::npos) << out;
    EXPECT_NE(out.find("\x1b[1;31myes"), std::string::npos) << out;
  }
}

TEST(Findings, OfASeveritySayHowManyOfUnknownSeverityTheyLeaveOut) {
  Desk desk;
  const auto page = [&](const std::string& unknown) {
    const std::string body =
        R"({"items": [], "next_cursor": null, "unknown_not_shown": )" + unknown + "}";
    desk.server.on("GET /api/v1/findings?limit=1000&min_severity=high", {200, body});
    desk.server.on("GET /api/v1/finding-groups?limit=1000&min_severity=high", {200, body});
  };
  page(R"({"value": 1, "relation": "eq"})");
  EXPECT_EQ(desk.run({"findings", "list", "--min-severity", "high"}).err,
            "no findings\n1 finding of unknown severity not shown; --include-unknown\n");
  page(R"({"value": 10000, "relation": "gte"})");
  const Transcript groups = desk.run({"findings", "groups", "--min-severity", "high", "--json"});
  EXPECT_EQ(groups.out, "[]\n");
  EXPECT_EQ(groups.err,
            "{\"warning\": \"at least 10000 findings of unknown severity not shown; "
            "--include-unknown\"}\n");
  page(R"({"value": 0, "relation": "eq"})");
  EXPECT_EQ(desk.run({"findings", "list", "--min-severity", "high", "--json"}).err, "");
  desk.server.on("GET /api/v1/findings?limit=1000&min_severity=high&include_unknown=true",
                 {200, R"({"items": [], "next_cursor": null})"});
  EXPECT_EQ(
      desk.run({"findings", "list", "--min-severity", "high", "--include-unknown", "--json"}).code,
      0);
}

TEST(Findings, OfAnEpssAreChosenByTheServerAndSayHowManyHaveNone) {
  Desk desk;
  const std::string body =
      R"({"items": [], "next_cursor": null, "unknown_not_shown": {"value": 2, "relation": "eq"}})";
  desk.server.on("GET /api/v1/findings?limit=1000&min_epss=0.1", {200, body});
  desk.server.on("GET /api/v1/finding-groups?limit=1000&min_epss=0.1", {200, body});
  desk.server.on("GET /api/v1/findings?limit=1000&min_severity=high&min_epss=0.1", {200, body});
  EXPECT_EQ(desk.run({"findings", "list", "--min-epss", "0.1"}).err,
            "no findings\n2 findings of unknown EPSS not shown; --include-unknown\n");
  EXPECT_EQ(desk.run({"findings", "groups", "--min-epss", "0.1"}).err,
            "no groups\n2 findings of unknown EPSS not shown; --include-unknown\n");
  EXPECT_EQ(desk.run({"findings", "list", "--min-epss", "0.1", "--min-severity", "high"}).err,
            "no findings\n2 findings of unknown severity or EPSS not shown; --include-unknown\n");
  for (const char* nonsense : {"10%", "1.5", "much", "nan"}) {
    const Transcript refused = desk.run({"findings", "list", "--min-epss", nonsense});
    EXPECT_EQ(refused.code, 2) << nonsense;
    EXPECT_NE(refused.err.find("--min-epss"), std::string::npos) << refused.err;
  }
}

TEST(Findings, AreAcceptedForATimeAndReopened) {
  Desk desk;
  desk.server.on("POST /api/v1/findings/12/accept",
                 {200, R"({"status": "accepted", "flaw": "CVE-1", "findings": 1,
                           "acceptance": {"scope": "hosts", "reason": "why"}})"});
  desk.server.on("POST /api/v1/findings/12/reopen",
                 {200, R"({"status": "open", "findings": 1, "acceptance": {"reason": "why"}})"});
  const Transcript done =
      desk.run({"findings", "accept", "12", "--reason", "why", "--for", "30d", "--scope", "org"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(desk.server.requests.back().body,
            R"({"reason": "why", "scope": "org", "for_seconds": 2592000})");
  EXPECT_EQ(desk.run({"findings", "accept", "12"}).code, 2) << "without a reason";
  const Transcript over = desk.run({"findings", "reopen", "12"});
  EXPECT_EQ(over.code, 0);
  EXPECT_EQ(over.out.find("why"), std::string::npos) << "what is over is not shown: " << over.out;
}

}  // namespace
}  // namespace muster::ctl
