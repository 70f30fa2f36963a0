// SPDX-License-Identifier: Apache-2.0
#include "model/host_query.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/seeded_rng.h"
#include "model/advisory.h"
#include "model/agent.h"

namespace muster::model {
namespace {

/// The one way to write `text`, or what is wrong with it.
std::string canonical(std::string_view text) {
  const auto query = parse_host_query(text);
  return query.ok() ? format_host_query(*query) : query.error().message;
}

HostTerm term_of(std::string_view text) {
  const HostQuery query = parse_host_query(text).value();
  EXPECT_EQ(query.kind, HostQuery::Kind::term) << text;
  return query.term;
}

TEST(HostQuery, JoinsTermsByAndBeforeOr) {
  EXPECT_EQ(canonical("os:linux tag:prod"), "os:linux tag:prod");
  EXPECT_EQ(canonical("os:linux AND tag:prod"), "os:linux tag:prod");
  EXPECT_EQ(canonical("tag:a tag:b OR tag:c"), "tag:a tag:b OR tag:c");
  EXPECT_EQ(canonical("tag:a (tag:b or tag:c)"), "tag:a (tag:b OR tag:c)");
  EXPECT_EQ(parse_host_query("tag:a tag:b OR tag:c")->kind, HostQuery::Kind::any);
  EXPECT_EQ(parse_host_query("tag:a (tag:b OR tag:c)")->kind, HostQuery::Kind::all);
}

TEST(HostQuery, DropsParenthesesThatSayNothing) {
  EXPECT_EQ(canonical("((tag:a))"), "tag:a");
  EXPECT_EQ(canonical("(tag:a tag:b) tag:c"), "tag:a tag:b tag:c");
  EXPECT_EQ(canonical("(tag:a tag:b) OR (tag:c OR tag:d)"), "tag:a tag:b OR tag:c OR tag:d");
}

TEST(HostQuery, NegatesWithMinusNotAndUnequal) {
  EXPECT_EQ(canonical("-tag:canary"), "-tag:canary");
  EXPECT_EQ(canonical("NOT tag:canary"), "-tag:canary");
  EXPECT_EQ(canonical("tag!=canary"), "-tag:canary");
  EXPECT_EQ(canonical("not -tag!=canary"), "-tag:canary");
  EXPECT_EQ(canonical("-(tag:a tag:b)"), "-(tag:a tag:b)");
  EXPECT_EQ(canonical("--tag:a"), "tag:a");
}

TEST(HostQuery, SearchesHostnamesForABareWord) {
  EXPECT_EQ(canonical("Web"), "hostname:*web*");
  EXPECT_EQ(canonical("web-*"), "hostname:web-*");
  EXPECT_EQ(canonical("\"my host\""), "hostname:*\"my host\"*");
  EXPECT_EQ(canonical("*"), "hostname:*");
  EXPECT_EQ(canonical("\"or\""), "hostname:*or*");
  EXPECT_EQ(canonical("oracle nothing"), "hostname:*oracle* hostname:*nothing*");
}

TEST(HostQuery, IsEveryHostWhenItIsEmpty) {
  EXPECT_EQ(*parse_host_query(""), HostQuery{});
  EXPECT_EQ(*parse_host_query(" \n"), HostQuery{});
  EXPECT_EQ(canonical(""), "");
}

TEST(HostQuery, TakesWildcardsOutsideQuotesOnly) {
  const TextPattern stars = term_of("tag:a*b**c").text;
  EXPECT_EQ(stars.pieces, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(term_of("tag:\"a*b\"").text.pieces, std::vector<std::string>{"a*b"});
  EXPECT_EQ(canonical("tag:\"a*b\"*"), "tag:\"a*b\"*");
  EXPECT_EQ(canonical("tag:\"\""), "tag:\"\"");
  EXPECT_EQ(canonical(R"(tag:"say \"hi\" \\ bye")"), R"(tag:"say \"hi\" \\ bye")");
}

TEST(HostQuery, MatchesWildcardsAgainstTheWholeText) {
  const auto matches = [](std::string_view pattern, std::string_view text) {
    return term_of("hostname:" + std::string(pattern)).text.matches(text);
  };
  EXPECT_TRUE(matches("web-*", "web-1"));
  EXPECT_TRUE(matches("web-*", "web-"));
  EXPECT_FALSE(matches("web-*", "my-web-1"));
  EXPECT_TRUE(matches("*.example.org", "a.example.org"));
  EXPECT_FALSE(matches("a*a", "a"));
  EXPECT_TRUE(matches("a*a", "aa"));
  EXPECT_TRUE(matches("*b*c*", "abbc"));
  EXPECT_FALSE(matches("*c*b*", "abbc"));
  EXPECT_FALSE(matches("web", "web-1"));
}

TEST(HostQuery, ComparesPackagesByNameAndVersion) {
  const HostTerm plain = term_of("package:openssl");
  EXPECT_FALSE(plain.version);
  const HostTerm below = term_of("package:openssl<3.0.11");
  EXPECT_EQ(below.comparison, Comparison::below);
  EXPECT_EQ(below.text.pieces, std::vector<std::string>{"openssl"});
  EXPECT_EQ(below.version->pieces, std::vector<std::string>{"3.0.11"});
  EXPECT_EQ(canonical("package:openssl>=1:3.0~rc1-2"), "package:openssl>=1:3.0~rc1-2");
  EXPECT_EQ(canonical("package:openssl!=3"), "-package:openssl=3");
  EXPECT_EQ(canonical("package:\"a<b\"=3.*"), "package:\"a<b\"=3.*");
  // The registry's spelling counts.
  EXPECT_EQ(canonical("package:OpenSSL"), "package:OpenSSL");
}

TEST(HostQuery, ReadsTimesNumbersAndWords) {
  EXPECT_EQ(term_of("last_seen>10m").age, std::chrono::minutes(10));
  EXPECT_EQ(canonical("last_seen>600s"), "last_seen>10m");
  EXPECT_EQ(canonical("first_seen<=14d"), "first_seen<=2w");
  EXPECT_EQ(canonical("last_report>=0d"), "last_report>=0s");
  EXPECT_EQ(term_of("packages>1000").number, 1000);
  EXPECT_EQ(term_of("status:Offline").number, static_cast<std::int64_t>(Presence::offline));
  EXPECT_EQ(term_of("status:unknown").number, static_cast<std::int64_t>(Presence::unknown));
  EXPECT_EQ(term_of("agent:disabled").number, static_cast<std::int64_t>(AgentState::disabled));
  EXPECT_EQ(term_of("severity>=high").number, static_cast<std::int64_t>(Severity::high));
  EXPECT_EQ(term_of("kev:true").number, 1);
  EXPECT_EQ(canonical("cve:cve-2024-3094"), "cve:CVE-2024-3094");
  EXPECT_EQ(canonical("AGENT.VERSION<2.1"), "agent.version<2.1");
}

TEST(HostQuery, KeepsPunctuationInValues) {
  EXPECT_EQ(term_of("tag:env=prod").text.pieces, std::vector<std::string>{"env=prod"});
  EXPECT_EQ(term_of("distro:debian:12").text.pieces, std::vector<std::string>{"debian:12"});
  EXPECT_EQ(canonical("tag:env=prod"), "tag:\"env=prod\"");
}

TEST(HostQuery, SaysAtWhichCharacterItExpectedWhat) {
  EXPECT_EQ(canonical("os:linux ("), "query: at character 11: expected a term");
  EXPECT_EQ(canonical("(os:linux"), "query: at character 10: expected a term, OR or )");
  EXPECT_EQ(canonical("os:linux) x"),
            "query: at character 9: expected a term, OR or the end of the query");
  EXPECT_EQ(canonical("tag:größe OR"), "query: at character 13: expected a term");
  EXPECT_EQ(canonical("OR a"), "query: at character 1: expected a term");
  EXPECT_EQ(canonical("- a"), "query: at character 2: expected a term right after -");
  EXPECT_EQ(canonical("os: linux"), "query: at character 4: expected a value");
  EXPECT_EQ(canonical("tag:\"open"), "query: at character 5: expected a quote that ends");
  EXPECT_EQ(canonical("tag:a(b)"),
            "query: at character 6: expected quotes around a value with parentheses");
  EXPECT_EQ(canonical("os<linux"), "query: at character 3: expected : before a text");
  EXPECT_EQ(canonical("kev:maybe"), "query: at character 5: expected false or true");
  EXPECT_EQ(canonical("kev:"), "query: at character 5: expected false or true");
  EXPECT_EQ(canonical("package<3"),
            "query: at character 8: expected : and a name, as in package:openssl<3.0.11");
  EXPECT_EQ(canonical("package:openssl<3.*"),
            "query: at character 17: expected a version without wildcards");
  EXPECT_EQ(canonical("agent.version<soon"), "query: at character 15: expected a version");
  EXPECT_EQ(canonical("packages>many"), "query: at character 10: expected a number");
  EXPECT_EQ(canonical("cve:GHSA-1"), "query: at character 5: expected a CVE, as in CVE-2024-3094");
  EXPECT_TRUE(canonical("last_seen:10m").starts_with("query: at character 10: expected < or >"));
  EXPECT_TRUE(canonical("last_seen>10").starts_with("query: at character 11: expected a time"));
  EXPECT_TRUE(canonical("last_seen>9999d").ends_with("ten years at most"));
  EXPECT_TRUE(canonical("a hots:x").starts_with("query: at character 3: expected a field: host"));
  EXPECT_EQ(parse_host_query("x:y").error().field, "query");
  EXPECT_EQ(parse_host_query("x:y").error().code, Errc::invalid_field);
}

TEST(HostQuery, IsBounded) {
  EXPECT_TRUE(parse_host_query(std::string(limits::query_bytes, 'a')).ok());
  EXPECT_FALSE(parse_host_query(std::string(limits::query_bytes + 1, 'a')).ok());
  EXPECT_FALSE(parse_host_query(std::string(limits::query_depth + 1, '(') + "a").ok());
  EXPECT_FALSE(parse_host_query("a\x01").ok());
  EXPECT_FALSE(parse_host_query("a\xFF").ok());
  std::string terms, lookups;
  for (std::size_t i = 0; i < limits::query_terms; ++i) terms += "a ";
  for (std::size_t i = 0; i < limits::query_lookups; ++i) lookups += "kev:true ";
  EXPECT_TRUE(parse_host_query(terms).ok());
  EXPECT_FALSE(parse_host_query(terms + "a").ok());
  EXPECT_TRUE(parse_host_query(lookups + "a").ok());
  EXPECT_FALSE(parse_host_query(lookups + "cve:CVE-2024-1").ok());
}

TEST(HostQuery, JoinsTwoQueriesAsOne) {
  const auto query = [](std::string_view text) { return parse_host_query(text).value(); };
  EXPECT_EQ(both(query(""), query("tag:a")), query("tag:a"));
  EXPECT_EQ(both(query("tag:a OR tag:b"), query("")), query("tag:a OR tag:b"));
  EXPECT_EQ(both(query("tag:a tag:b"), query("tag:c OR tag:d")),
            query("tag:a tag:b (tag:c OR tag:d)"));
}

/// A query as the parser makes them, of all that the language has.
class RandomQuery {
 public:
  explicit RandomQuery(std::uint64_t seed) : rng_(seed) {}

  HostQuery make(int depth) {
    const auto kind = depth == 0 ? 0 : below(5);
    if (kind < 2) return host_query(make_term());
    if (kind == 2) {
      HostQuery inner = make(depth - 1);
      if (inner.kind == HostQuery::Kind::none) return inner;
      HostQuery negated{HostQuery::Kind::none, {}, {}};
      negated.parts.push_back(std::move(inner));
      return negated;
    }
    std::vector<HostQuery> parts;
    for (std::size_t i = 2 + below(3); i > 0; --i) parts.push_back(make(depth - 1));
    return join_queries(kind == 3 ? HostQuery::Kind::all : HostQuery::Kind::any, std::move(parts));
  }

 private:
  std::size_t below(std::size_t count) { return rng_.below(count); }
  std::string word() {
    static const std::vector<std::string> words = {"web",   "a b", "or",    "-x", "(",   "\"",
                                                   "\\",    "a*b", "größe", "<3", "=",   "not",
                                                   "1:2.3", "~",   "a:b",   "!",  "and", "x)"};
    return words[below(words.size())];
  }
  TextPattern pattern(bool folded) {
    TextPattern pattern;
    pattern.pieces = {below(4) == 0 ? "" : word()};
    for (std::size_t i = below(3); i > 0; --i) pattern.pieces.push_back(word());
    if (below(4) == 0) pattern.pieces.emplace_back();
    if (!folded) pattern.pieces.front().append("X");
    return pattern;
  }
  HostTerm make_term() {
    HostTerm term;
    term.field = static_cast<HostField>(below(host_field_count));
    const auto comparison = static_cast<Comparison>(below(5));
    switch (host_field_kind(term.field)) {
      case HostFieldKind::text:
        term.text = pattern(true);
        break;
      case HostFieldKind::number:
        term.number = static_cast<std::int64_t>(below(100'000));
        term.comparison = comparison;
        break;
      case HostFieldKind::presence:
      case HostFieldKind::agent_state:
        term.number = static_cast<std::int64_t>(below(3));
        break;
      case HostFieldKind::version:
        term.version = TextPattern{{"1." + std::to_string(below(30)) + ".0-rc.1"}};
        term.comparison = comparison;
        break;
      case HostFieldKind::age:
        term.age = std::chrono::seconds(below(1'000'000));
        term.comparison = comparison == Comparison::equal ? Comparison::above : comparison;
        break;
      case HostFieldKind::package:
        term.text = pattern(false);
        if (below(2) == 0) break;
        term.comparison = comparison;
        term.version = comparison == Comparison::equal ? pattern(false) : TextPattern{{word()}};
        break;
      case HostFieldKind::flaw:
        term.text.pieces = {"CVE-2024-" + std::to_string(below(10'000))};
        break;
      case HostFieldKind::severity:
        term.number = static_cast<std::int64_t>(below(6));
        term.comparison = comparison;
        break;
      case HostFieldKind::flag:
        term.number = static_cast<std::int64_t>(below(2));
        break;
      case HostFieldKind::group:
        term.text.pieces = {word()};
        break;
    }
    return term;
  }

  SeededRng rng_;
};

TEST(HostQuery, ReadsBackWhatItWrites) {
  int read = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    const HostQuery query = RandomQuery(seed).make(3);
    const std::string text = format_host_query(query);
    const auto again = parse_host_query(text);
    if (!again.ok() && again.error().message.find("at most") != std::string::npos) continue;
    ASSERT_TRUE(again.ok()) << text << ": " << again.error().message;
    ASSERT_EQ(*again, query) << text << " became " << format_host_query(*again);
    ++read;
  }
  EXPECT_GT(read, 2500);
}

}  // namespace
}  // namespace muster::model
