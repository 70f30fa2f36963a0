// SPDX-License-Identifier: Apache-2.0
#include "model/audit_export.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace muster::model {
namespace {

constexpr OrgId server{0};
constexpr OrgId org{1};
constexpr OrgId other_org{7};
constexpr std::int64_t rows_each = 4;

AuditRow row_of(OrgId of, std::int64_t seq) {
  return {of,
          {(seq << 12) | of.value},
          {1'790'000'000'000 + seq * 1001},
          "operator:" + std::to_string(seq),
          "tokens.create",
          seq == 2 ? "grö\"ßer\\\n\t\x01 \u0085" : std::to_string(seq),
          R"({"name": "a } b", "n": 1.50, "deep": {"hash": "x"}})"};
}

/// The lines of an export of three chains, rows `first` to `last` of each.
std::vector<std::string> lines_of(std::int64_t first = 1, std::int64_t last = rows_each) {
  std::vector<std::string> lines;
  for (const OrgId of : {server, org, other_org}) {
    AuditHead head = first_audit_head(of);
    for (std::int64_t seq = 1; seq <= last; ++seq) {
      const AuditRow row = row_of(of, seq);
      head = advance(head, row);
      if (seq >= first) lines.push_back(encode_audit_line({row, seq, head.hash}));
    }
    lines.push_back(encode_head_line(head));
  }
  lines.push_back(encode_page_line(""));
  return lines;
}

AuditHead head_at(OrgId of, std::int64_t seq) {
  AuditHead head = first_audit_head(of);
  for (std::int64_t i = 1; i <= seq; ++i) head = advance(head, row_of(of, i));
  return head;
}

std::optional<AuditBreak> prove(const std::vector<std::string>& lines,
                                const std::vector<AuditHead>& noted = {}) {
  AuditCheck check(noted);
  for (const std::string& line : lines) {
    if (auto found = check.take(line)) return found;
  }
  return check.finish();
}

/// "LINE ORG:SEQ", or what there is to say.
std::string place_of(const std::optional<AuditBreak>& found) {
  if (!found) return "nothing is broken";
  return std::to_string(found->line) + " " + std::to_string(found->org.value) + ":" +
         std::to_string(found->seq);
}

TEST(AuditExport, OfWholeChainsIsProven) {
  AuditCheck check({});
  for (const std::string& line : lines_of()) ASSERT_FALSE(check.take(line)) << line;
  EXPECT_FALSE(check.finish());
  EXPECT_EQ(check.rows(), 3 * rows_each);
  const std::vector<AuditHead> heads = {head_at(server, 4), head_at(org, 4), head_at(other_org, 4)};
  EXPECT_EQ(check.heads(), heads);
}

TEST(AuditExport, FindsEveryAlteredOctet) {
  const auto lines = lines_of(1, 2);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (std::size_t at = 0; at < lines[i].size(); ++at) {
      auto altered = lines;
      altered[i][at] = static_cast<char>(altered[i][at] ^ 1);
      const auto found = prove(altered);
      ASSERT_TRUE(found) << "octet " << at << " of " << lines[i];
      EXPECT_LE(found->line, static_cast<std::int64_t>(i) + 2) << found->what;
    }
  }
}

TEST(AuditExport, NamesTheRowThatWasAltered) {
  auto lines = lines_of();
  const auto at = lines[6].find("tokens.create");
  lines[6].replace(at, 13, "tokens.revoke");
  const auto found = prove(lines);
  EXPECT_EQ(place_of(found), "7 1:2");
  EXPECT_NE(found->what.find("was altered"), std::string::npos) << found->what;
  EXPECT_NE(found->what.find("by operator:2"), std::string::npos) << found->what;
}

TEST(AuditExport, FindsARowWhoseHashWasMadeAnew) {
  auto lines = lines_of();
  AuditRow row = row_of(org, 2);
  row.actor = "operator:9";
  lines[6] = encode_audit_line({row, 2, advance(head_at(org, 1), row).hash});
  EXPECT_EQ(place_of(prove(lines)), "8 1:3") << "the row behind it does not follow it";
}

TEST(AuditExport, FindsEveryMissingLine) {
  const auto lines = lines_of();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto cut = lines;
    cut.erase(cut.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(prove(cut)) << "without line " << i + 1;
  }
  auto cut = lines;
  cut.erase(cut.begin() + 6, cut.begin() + 8);
  const auto found = prove(cut);
  EXPECT_EQ(place_of(found), "7 1:2");
  EXPECT_NE(found->what.find("rows 2 to 3 of organisation 1 are missing"), std::string::npos)
      << found->what;
}

TEST(AuditExport, FindsALineThatWasCutAnywhere) {
  for (const std::string& whole : lines_of()) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      AuditCheck check({});
      EXPECT_TRUE(check.take(whole.substr(0, size)) || check.finish()) << whole.substr(0, size);
    }
  }
  EXPECT_TRUE(AuditCheck({}).take("{\"head\": \"}"));
  EXPECT_TRUE(AuditCheck({}).take("{\"next_cursor\": \"}"));
}

TEST(AuditExport, FindsAnEndThatWasCutOff) {
  const auto lines = lines_of();
  for (std::size_t kept = 0; kept < lines.size(); ++kept) {
    const std::vector<std::string> cut(lines.begin(),
                                       lines.begin() + static_cast<std::ptrdiff_t>(kept));
    EXPECT_TRUE(prove(cut)) << kept << " lines";
  }
}

TEST(AuditExport, FindsRowsInAnotherOrder) {
  const auto lines = lines_of();
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    auto swapped = lines;
    std::swap(swapped[i], swapped[i + 1]);
    EXPECT_TRUE(prove(swapped)) << "lines " << i + 1 << " and " << i + 2;
  }
  auto twice = lines;
  twice.insert(twice.begin() + 6, twice[5]);
  EXPECT_EQ(place_of(prove(twice)), "7 1:1") << "a row that stands twice";
}

TEST(AuditExport, KnowsAChainThatWasWrittenAnewByANotedHead) {
  EXPECT_FALSE(prove(lines_of(), {head_at(org, 3), head_at(server, 4)}));
  AuditHead forged = head_at(org, 3);
  forged.hash.bytes[5] ^= 1;
  EXPECT_EQ(place_of(prove(lines_of(), {forged})), "8 1:3");
  forged = head_at(other_org, 4);
  forged.hash.bytes[0] ^= 1;
  EXPECT_EQ(place_of(prove(lines_of(), {forged})), "14 7:4") << "also as the last row";
}

TEST(AuditExport, KnowsAChainThatLostItsNewestRowsByANotedHead) {
  const auto found = prove(lines_of(), {head_at(org, 6)});
  EXPECT_EQ(place_of(found), "10 1:5");
  EXPECT_NE(found->what.find("rows 5 to 6 of organisation 1 are missing"), std::string::npos)
      << found->what;
  EXPECT_EQ(place_of(prove(lines_of(), {head_at(OrgId{3}, 2)})), "16 3:1")
      << "a chain that is not there at all";
}

TEST(AuditExport, MayBeginBehindANotedHead) {
  const auto later = lines_of(3);
  EXPECT_FALSE(prove(later, {head_at(server, 2), head_at(org, 2), head_at(other_org, 2)}));
  EXPECT_EQ(place_of(prove(later)), "1 0:1") << "without one, the first rows are missing";
  AuditHead forged = head_at(server, 2);
  forged.hash.bytes[31] ^= 0x80;
  EXPECT_EQ(place_of(prove(later, {forged})), "1 0:3");
  EXPECT_EQ(place_of(prove(later, {head_at(server, 1)})), "1 0:1") << "row 2 is missing";
  EXPECT_EQ(place_of(prove(later, {head_at(server, 2), forged})), "1 0:2")
      << "heads that contradict each other";
  const auto nothing_new = lines_of(5);
  EXPECT_FALSE(prove(nothing_new, {head_at(server, 4), head_at(org, 4), head_at(other_org, 4)}));
  EXPECT_TRUE(prove(nothing_new));
}

TEST(AuditExport, MayHaveTheLinesBetweenItsPages) {
  auto lines = lines_of();
  lines.insert(lines.begin() + 6, encode_page_line("1.1"));
  EXPECT_FALSE(prove(lines));
  for (const char* line : {R"({"next_cursor": "1"}, "org_id": "1"})", R"({"next_cursor": 1})",
                           R"({"next_cursor": ""})", R"({"next_cursor": null} )"}) {
    lines[6] = line;
    EXPECT_EQ(place_of(prove(lines)), "7 1:0") << line;
  }
}

TEST(AuditLine, HasOneTextOnly) {
  const AuditRow row = row_of(org, 2);
  const std::string line = encode_audit_line({row, 2, head_at(org, 2).hash});
  const auto read = parse_audit_line(line);
  ASSERT_TRUE(read.ok()) << line;
  EXPECT_EQ(read->row.target, row.target);
  EXPECT_EQ(read->row.details, row.details);
  EXPECT_EQ(read->row.at, row.at);
  EXPECT_EQ(advance(head_at(org, 1), read->row).hash, read->hash);
  const auto altered = [&](std::string_view from, std::string_view to) {
    std::string other = line;
    const auto at = other.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return other.replace(at, from.size(), to);
  };
  for (const std::string& other : {
           " " + line,
           line + " ",
           altered("\"seq\": 2", "\"seq\":2"),
           altered("\"seq\": 2", "\"seq\": 02"),
           altered("\"seq\": 2", "\"seq\": 2, \"seq\": 2"),
           altered("{\"org_id\"", "{\"more\": 1, \"org_id\""),
           altered("ö", "\\u00f6"),
           altered("Z\"", "+00:00\""),
           altered(", \"hash\"", ", \"more\": 1, \"hash\""),
           altered("\"name\": \"a } b\"", "\"name\": \"a } b"),
           altered("{\"name\": \"a } b\", \"n\": 1.50, \"deep\": {\"hash\": \"x\"}}", "[]"),
       }) {
    EXPECT_FALSE(parse_audit_line(other).ok()) << other;
  }
}

TEST(AuditHeads, AreReadAsTheyAreWritten) {
  const AuditHead head = head_at(other_org, 3);
  const std::string text = encode_audit_head(head);
  EXPECT_EQ(*parse_audit_head(text, org), head);
  const auto without_org = parse_audit_head(text.substr(2), other_org);
  ASSERT_TRUE(without_org.ok());
  EXPECT_EQ(*without_org, head);
  for (const std::string& other :
       {std::string("7"), std::string("7:3"), std::string(), "7:0:" + head.hash.text(),
        "-1:3:" + head.hash.text(), "x:3:" + head.hash.text(), "7:3:" + head.hash.text() + "0",
        "1:7:3:" + head.hash.text()}) {
    EXPECT_FALSE(parse_audit_head(other, org).ok()) << other;
  }
}

TEST(AuditChain, HashesEveryMemberApart) {
  const AuditHead before = head_at(org, 1);
  const AuditRow row{org, {5}, {7}, "ab", "cd", "ef", "{}"};
  const auto differs = [&](auto change) {
    AuditRow other = row;
    change(other);
    return advance(before, other).hash != advance(before, row).hash;
  };
  EXPECT_TRUE(differs([](AuditRow& r) { r.id = {6}; }));
  EXPECT_TRUE(differs([](AuditRow& r) { r.at.unix_ms += 1; }));
  EXPECT_TRUE(differs([](AuditRow& r) { r.actor = "a", r.action = "bcd"; }))
      << "octets that move from one member to the next";
  EXPECT_TRUE(differs([](AuditRow& r) { r.target = "", r.details = "ef{}"; }));
  AuditHead other = before;
  other.hash.bytes[0] ^= 1;
  EXPECT_NE(advance(other, row).hash, advance(before, row).hash);
}

TEST(AuditChain, HasTheHashThatTheManualSays) {
  // docs/reference/audit.md; tests/e2e/audit_chain_test.py computes it by itself.
  const AuditRow row{org, {2}, {3}, "operator:1", "keys.revoke", "4", "{}"};
  EXPECT_EQ(first_audit_head(org).hash, crypto::sha256("muster audit chain 1\n"));
  const std::string text = "muster audit row 1\n" +
                           std::string(first_audit_head(org).hash.octets()) +
                           "1:11:11:21:310:operator:111:keys.revoke1:42:{}";
  EXPECT_EQ(advance(first_audit_head(org), row).hash, crypto::sha256(text));
}

}  // namespace
}  // namespace muster::model
