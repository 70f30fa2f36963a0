// SPDX-License-Identifier: Apache-2.0
// Replays every golden conversation in process; tools/golden.py replays them against the binary.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/testing.h"
#include "endpoints/golden_format.h"
#include "store/testing/statement_plans.h"

namespace muster::endpoints {
namespace {

namespace fs = std::filesystem;

fs::path golden_root() {
  return source_directory() / "api" / "golden";
}

/// Files that only the binary can answer, with the reason.
const std::map<std::string, std::string>& only_with_the_binary() {
  static const std::map<std::string, std::string> files = {
      {"public/openapi.http", "the document is embedded into musterd by its build"},
      {"operator-identities/link_sign_in_unlink.http", "it calls a provider of identities"},
      {"operator-identities/what_is_wrong_is_named.http", "it calls one, and tells the log"},
  };
  return files;
}

std::vector<std::string> golden_files() {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(golden_root())) {
    if (entry.path().extension() == ".http") {
      names.push_back(fs::relative(entry.path(), golden_root()).generic_string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& file) {
  std::string name = file.param.substr(0, file.param.rfind('.'));
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

/// An agent's request costs the same in an organisation of ten hosts and of a hundred thousand:
/// what it asks for is looked up. These read one row at the end of an index, or what people made by
/// hand.
const std::vector<std::string> walks_of_agents = {
    "(SELECT coalesce(max(package_id), 0) + 1 FROM packages WHERE org_id = $1)",
    "SELECT 1 FROM acceptances WHERE org_id = $1 LIMIT 1",
    "FROM audit_links WHERE org_id = $1 ORDER BY seq DESC LIMIT 1",
    "FROM inventory_keys ORDER BY key_id",
    "FROM agent_clones WHERE org_id = $1 AND split_agent = $2",
    "FROM webhooks w WHERE w.org_id = $1",
    "SELECT 1 FROM webhooks LIMIT 1",
};

void replay(const std::string& name) {
  store::testing::StatementLog statements;
  std::set<std::string> seen;
  std::vector<std::pair<std::string, golden::Conversation>> chain;
  golden::read_chain(golden_root(), name, seen, chain);
  const Result<Config> config = parse_config(chain.back().second.config);
  if (!config.ok()) throw golden::Broken(config.error().message);
  TestServer server(*config);
  golden::Variables variables = {{"admin_token", server.admin_token},
                                 {"server_url", std::string(TestServer::server_url)}};
  for (const auto& [file, conversation] : chain) {
    for (const golden::Exchange& exchange : conversation.exchanges) {
      // A moment passes between two requests, as it does on any wire.
      server.clock.advance(Duration(1));
      const TestRequest request = golden::request_of(exchange, variables, server.clock.now());
      statements.listening = exchange.target.rfind("/api/agent/", 0) == 0;
      try {
        golden::check_answer(exchange, server.ask(request), variables);
      } catch (const golden::Broken& broken) {
        throw golden::Broken(file + ": " + exchange.method + " " + exchange.target + "\n" +
                             broken.what());
      }
    }
  }
  EXPECT_EQ(server.log_lines, std::vector<std::string>{}) << "the environment broke";
  EXPECT_EQ(store::testing::walking_statements(server.directory.path() + "/muster.db",
                                               statements.texts, walks_of_agents),
            std::vector<std::string>{});
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, Holds) {
  if (const auto found = only_with_the_binary().find(GetParam());
      found != only_with_the_binary().end()) {
    GTEST_SKIP() << found->second;
  }
  try {
    replay(GetParam());
  } catch (const golden::Broken& broken) {
    FAIL() << broken.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Api, Golden, testing::ValuesIn(golden_files()), test_name);

TEST(GoldenFiles, OnlyWithTheBinaryNamesFilesThatAreThere) {
  for (const auto& [name, reason] : only_with_the_binary()) {
    EXPECT_TRUE(fs::exists(golden_root() / name)) << name << ": " << reason;
  }
}

// --- The comparison itself can fail ----------------------------------------------------------

bool holds(std::string_view expected, std::string_view actual, golden::Variables variables = {}) {
  try {
    golden::match_body(expected, actual, variables);
    return true;
  } catch (const golden::Broken&) {
    return false;
  }
}

TEST(GoldenFormat, TextIsComparedCharacterByCharacter) {
  EXPECT_TRUE(holds(R"({"a": 1})", R"({"a": 1})"));
  EXPECT_FALSE(holds(R"({"a": 1})", R"({"a":1})"));
  EXPECT_FALSE(holds("", "x"));
  EXPECT_TRUE(holds("", ""));
}

TEST(GoldenFormat, PlaceholdersCaptureOnceAndAreComparedLater) {
  golden::Variables variables;
  ASSERT_TRUE(golden::match_text(R"({"id": {{id}}, "again": {{id}}})", R"({"id": 12, "again": 12})",
                                 variables));
  EXPECT_EQ(variables["id"], "12");
  EXPECT_FALSE(holds("{{id}}", "13", variables));
  EXPECT_FALSE(holds(R"("{{_}}")", R"("a","b")"));
  EXPECT_FALSE(holds(R"("{{_}}")", R"("")"));
  EXPECT_TRUE(holds("{{_}} {{_}}", "1 2"));
}

TEST(GoldenFormat, JsonMayHaveMoreMembersButNotMoreElements) {
  EXPECT_TRUE(holds("~json\n{\"a\": [1]}", R"({"b": 2, "a": [1]})"));
  EXPECT_FALSE(holds("~json\n{\"a\": [1]}", R"({"a": [1, 2]})"));
  EXPECT_TRUE(holds("~json\n{\"a\": [1, \"...\"]}", R"({"a": [1, 2]})"));
  EXPECT_FALSE(holds("~json\n{\"a\": null}", "{}"));
  EXPECT_FALSE(holds("~json\n{\"a\": 1}", R"({"a": "1"})"));
  EXPECT_FALSE(holds("~json\n{\"a\": \"{{_}}\"}", R"({"a": [1]})"));
  EXPECT_TRUE(holds("~json\n{\"a\": \"{{_}}\"}", R"({"a": 1})"));
  EXPECT_FALSE(holds("~json\n{}", "no"));
}

TEST(GoldenFormat, HasNeedsEveryLine) {
  EXPECT_TRUE(holds("~has\nb\nc", "abc"));
  EXPECT_FALSE(holds("~has\nb\nd", "abc"));
  EXPECT_TRUE(holds("~has", "anything"));
}

TEST(GoldenFormat, RequestsAreFilledIn) {
  const golden::Variables variables = {{"x", "1"}};
  EXPECT_EQ(golden::substitute(R"({"a": {"b": {{x}}}} {{ab*3}} {{0x41}})", variables, test_epoch),
            R"({"a": {"b": 1}} ababab A)");
  EXPECT_EQ(golden::substitute("{{now-301s}} {{now+10s}}", variables, test_epoch),
            "2026-03-21T14:24:59Z 2026-03-21T14:30:10Z");
  EXPECT_THROW(golden::substitute("{{y}}", variables, test_epoch), golden::Broken);
}

}  // namespace
}  // namespace muster::endpoints
