// SPDX-License-Identifier: Apache-2.0
#include "swarm/scenario.h"

#include <gtest/gtest.h>

namespace muster::swarm {
namespace {

TEST(ParseScenario, TakesWhatIsGivenAndKeepsTheDefaultsOfTheRest) {
  const auto scenario = parse_scenario(R"(
    [fleet]
    agents = 5000
    site_percent = 20
    hosts_per_site = 300
    [faults]
    herd_at_seconds = 9
    [assert]
    server_rss_mib = 700
    p99_ms = 5.5
    errors = 0
  )");
  ASSERT_TRUE(scenario.ok()) << scenario.error().message;
  EXPECT_EQ(scenario->agents(), 5000U);
  EXPECT_EQ(scenario->site_hosts(), 1000U);
  EXPECT_EQ(scenario->sites(), 4U);
  EXPECT_EQ(scenario->faults_herd_at_seconds, 9);
  EXPECT_EQ(scenario->agent_heartbeat_seconds, Scenario{}.agent_heartbeat_seconds);
  // In the order of figures.def, not of the file.
  const std::vector<Assertion> wanted = {{"p99_ms", 5.5}, {"errors", 0}, {"server_rss_mib", 700}};
  EXPECT_EQ(scenario->assertions, wanted);
}

TEST(ParseScenario, NamesWhatItDoesNotTake) {
  const std::pair<const char*, const char*> cases[] = {
      {"[fleet]\nagent = 5", "fleet.agent"},         {"[fleet]\nagents = 0", "fleet.agents"},
      {"[fleet]\nagents = 1000001", "fleet.agents"}, {"[fleet]\nagents = \"5\"", "fleet.agents"},
      {"[flet]\nagents = 5", "flet.agents"},         {"agents = 5", "agents"},
      {"[assert]\np99 = 5", "assert.p99"},           {"[assert]\np99_ms = true", "assert.p99_ms"},
      {"[assert]\np99_ms = -1", "assert.p99_ms"},    {"[assert]\np99_ms = nan", "assert.p99_ms"},
  };
  for (const auto& [text, field] : cases) {
    SCOPED_TRACE(text);
    const auto scenario = parse_scenario(text);
    ASSERT_FALSE(scenario.ok());
    EXPECT_EQ(scenario.error().field, field);
  }
  EXPECT_NE(parse_scenario("[fleet\n").error().message.find("line 1"), std::string::npos);
}

}  // namespace
}  // namespace muster::swarm
