// SPDX-License-Identifier: Apache-2.0
// `muster audit list`, `export` and `verify`.
#include <fstream>

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "main/ctl/testing/canned.h"
#include "model/audit_export.h"

namespace muster::ctl {
namespace {

using test::Desk;
using test::Transcript;

constexpr OrgId org{1};

/// Lines of one chain, from a server that has `count` rows.
struct Chain {
  explicit Chain(std::int64_t count) {
    for (std::int64_t seq = 1; seq <= count; ++seq) {
      const model::AuditRow row{org, {seq}, {seq}, "operator:1", "keys.create", "t\u0085", "{}"};
      heads.push_back(model::advance(heads.back(), row));
      rows.push_back(model::encode_audit_line({row, seq, heads.back().hash}) + "\n");
    }
  }
  std::string head_line() const { return model::encode_head_line(heads.back()) + "\n"; }
  std::string noted(std::size_t seq) const { return model::encode_audit_head(heads[seq]); }

  std::vector<model::AuditHead> heads = {model::first_audit_head(org)};
  std::vector<std::string> rows;
};

const std::string page_end = "{\"next_cursor\": null}\n";

class AuditDesk : public ::testing::Test {
 protected:
  Transcript verify(const std::string& lines, std::vector<std::string> more = {}) {
    std::ofstream(path, std::ios::binary) << lines;
    more.insert(more.begin(), {"audit", "verify", path});
    return desk.run(more);
  }
  std::string whole() const {
    return chain.rows[0] + chain.rows[1] + chain.rows[2] + chain.head_line() + page_end;
  }

  Desk desk;
  Chain chain{3};
  TestDirectory directory{memory_backed_path()};
  const std::string path = directory.path() + "/audit.ndjson";
};

TEST_F(AuditDesk, ListAsksWhoDidWhatToWhatAndWhen) {
  desk.server.on(
      "GET /api/v1/audit?limit=1000&actor=12&action=settings.set&target=tag%3Aa%20b"
      "&since=2026-03-01T00%3A00%3A00Z&until=2026-04-01T00%3A00%3A00Z&org=0",
      {200, R"({"items": [{"at": "2026-03-21T14:30:01Z", "actor": "operator:12",
                "actor_name": "ada", "action": "settings.set", "target": "tag:a b",
                "details": {}}], "next_cursor": null})"});
  const Transcript done = desk.run({"audit", "list", "--actor", "12", "--action", "settings.set",
                                    "--target", "tag:a b", "--since", "2026-03-01T00:00:00Z",
                                    "--until", "2026-04-01T00:00:00Z", "--org", "0"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find("tag:a b"), std::string::npos) << done.out;
}

TEST_F(AuditDesk, ListNamesTheFlagThatIsWrong) {
  for (const char* flag : {"--since", "--until"}) {
    const Transcript done = desk.run({"audit", "list", flag, "yesterday"});
    EXPECT_EQ(done.code, 2);
    EXPECT_NE(done.err.find(flag), std::string::npos) << done.err;
  }
  EXPECT_TRUE(desk.server.requests.empty());
  desk.server.on("GET /api/v1/audit?limit=1000&actor=ada",
                 {400, R"({"error": "invalid_field", "field": "actor",
                           "message": "must be the id of an operator"})"});
  const Transcript refused = desk.run({"audit", "list", "--actor", "ada"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("--actor: must be the id"), std::string::npos) << refused.err;
}

TEST_F(AuditDesk, ExportIsThePagesOneBehindAnother) {
  const std::string target = "GET /api/v1/audit/export?limit=1000";
  desk.server.on(target, {200, chain.rows[0] + chain.rows[1] + "{\"next_cursor\": \"1.2\"}\n"});
  desk.server.on(target + "&cursor=1.2", {200, chain.rows[2] + chain.head_line() + page_end});
  const Transcript done = desk.run({"audit", "export"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, whole()) << "octet by octet, for the hashes are over them";
  EXPECT_EQ(verify(done.out).code, 0);
  EXPECT_EQ(desk.run({"audit", "export", "--json"}).out, whole());
}

TEST_F(AuditDesk, ExportAsksForTheOrganisationAndForWhatCameAfterAHead) {
  const std::string target = "GET /api/v1/audit/export?limit=1000&org=";
  desk.server.on(target + "a%20b", {200, page_end});
  desk.server.on(target + "1&cursor=1.2", {200, chain.rows[2] + chain.head_line() + page_end});
  EXPECT_EQ(desk.run({"audit", "export", "--org", "a b"}).out, page_end);
  const Transcript done = desk.run({"audit", "export", "--after", chain.noted(2)});
  EXPECT_EQ(done.out, chain.rows[2] + chain.head_line() + page_end);
  EXPECT_EQ(verify(done.out, {"--head", chain.noted(2)}).code, 0);
}

TEST_F(AuditDesk, ExportOfWhatIsNoPageFails) {
  const std::string target = "GET /api/v1/audit/export?limit=1000";
  for (const std::string body :
       {"", "\n", "{}\n", "{\"next_cursor\": null}", "{\"next_cursor\": 1}\n"}) {
    desk.server.on(target, {200, body});
    EXPECT_EQ(desk.run({"audit", "export"}).code, 1) << body;
  }
  desk.server.on(target, {200, "{\"next_cursor\": \"1.2\"}\n"});
  desk.server.on(target + "&cursor=1.2", {200, "{\"next_cursor\": \"1.2\"}\n"});
  EXPECT_EQ(desk.run({"audit", "export"}).code, 1) << "a cursor that does not advance";
}

TEST_F(AuditDesk, ATerminalGetsNoControlCharacters) {
  desk.look.width = 80;
  desk.server.on("GET /api/v1/audit/export?limit=1000", {200, whole()});
  EXPECT_EQ(desk.run({"audit", "export"}).out.find('\xC2'), std::string::npos);
}

TEST_F(AuditDesk, VerifyNeedsNoServerAndShowsTheHeads) {
  desk.token.clear();
  const Transcript done = verify(whole());
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find(chain.noted(3)), std::string::npos) << done.out;
  EXPECT_NE(done.err.find("3 rows"), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("--head"), std::string::npos) << "what a chain alone does not prove";
  EXPECT_EQ(verify(whole(), {"--json"}).out,
            "{\"rows\": 3, \"heads\": [{\"org_id\": 1, \"seq\": 3, \"head\": \"" + chain.noted(3) +
                "\"}], \"broken\": null}\n");
  EXPECT_EQ(desk.run({"audit", "verify", "-"}, whole()).code, 0);
  EXPECT_TRUE(desk.server.requests.empty());
}

TEST_F(AuditDesk, VerifyNamesTheFirstRowThatIsBroken) {
  std::string altered = whole();
  altered.replace(altered.find("operator:1"), 10, "operator:2");
  const Transcript done = verify(altered);
  EXPECT_EQ(done.code, 1) << "not 2, which is for what cannot be meant";
  EXPECT_NE(done.err.find("line 1: row 1 of organisation 1 "), std::string::npos) << done.err;
  EXPECT_EQ(done.err.find('\xC2'), std::string::npos) << "targets are other people's text";
  const Transcript told = verify(altered, {"--json"});
  EXPECT_EQ(told.code, 1);
  EXPECT_NE(told.out.find("\"broken\": {\"line\": 1, \"org_id\": 1, \"seq\": 1, "),
            std::string::npos)
      << told.out;
}

TEST_F(AuditDesk, VerifyComparesWithHeadsThatWereNoted) {
  EXPECT_EQ(verify(whole(), {"--head", chain.noted(1), "--head", chain.noted(3)}).code, 0);
  EXPECT_EQ(verify(whole(), {"--head", chain.noted(2).substr(2)}).code, 0)
      << "without an organisation it is of the first";
  EXPECT_EQ(verify(whole(), {"--head", "1:2:" + std::string(64, '0')}).code, 1);
  EXPECT_EQ(verify(whole(), {"--head", Chain(4).noted(4)}).code, 1) << "its end was cut off";
  EXPECT_EQ(verify(whole(), {"--head", "2:" + std::string(63, '0')}).code, 2);
}

TEST_F(AuditDesk, VerifyRefusesWhatIsNoExport) {
  EXPECT_EQ(verify("").code, 1);
  EXPECT_EQ(verify(whole().substr(0, whole().size() - 3)).code, 1) << "cut within its last line";
  EXPECT_EQ(verify(whole() + "\n").code, 1);
  EXPECT_EQ(verify(std::string(2 * model::audit_line_bytes, ' ')).code, 1);
  EXPECT_EQ(verify(whole().substr(0, whole().size() - 1)).code, 0) << "the last line end may lack";
  EXPECT_EQ(desk.run({"audit", "verify", path + ".no"}).code, 2);
}

}  // namespace
}  // namespace muster::ctl
