// SPDX-License-Identifier: Apache-2.0
#include "agent/settings.h"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

TEST(AgentSettings, RefuseEveryTaskUnlessTheOwnerAllowsIt) {
  EXPECT_FALSE(parse_settings("").value().allows("execute_command"));
  const Settings settings = parse_settings("[policy]\nallow = [\"execute_command\"]\n").value();
  EXPECT_TRUE(settings.allows("execute_command"));
  EXPECT_FALSE(settings.allows("uninstall"));
  EXPECT_FALSE(settings.allows(""));
}

TEST(AgentSettings, ReadIntervalsAndTheExecutor) {
  const Settings settings =
      parse_settings(
          "[intervals]\nheartbeat_seconds = 10\npoll_seconds=5\nreport_seconds=3600\n"
          "[executor]\nuser = \"daemon\"\n")
          .value();
  EXPECT_EQ(settings.intervals_heartbeat_seconds, 10);
  EXPECT_EQ(settings.intervals_poll_seconds, 5);
  EXPECT_EQ(settings.intervals_report_seconds, 3600);
  EXPECT_EQ(settings.executor_user, "daemon");
}

TEST(AgentSettings, UnknownKeysAreFatalByName) {
  EXPECT_EQ(parse_settings("[policy]\nalow = []\n").error().field, "policy.alow");
  EXPECT_EQ(parse_settings("[polcy]\nallow = []\n").error().field, "polcy.allow");
  EXPECT_EQ(parse_settings("policy = 1\n").error().field, "policy");
}

TEST(AgentSettings, WrongValuesAreFatalByName) {
  EXPECT_EQ(parse_settings("[policy]\nallow = [\"everything\"]\n").error().field, "policy.allow");
  EXPECT_EQ(parse_settings("[policy]\nallow = [\"\"]\n").error().field, "policy.allow");
  EXPECT_EQ(parse_settings("[policy]\nallow = \"execute_command\"\n").error().field,
            "policy.allow");
  EXPECT_EQ(parse_settings("[intervals]\npoll_seconds = 0\n").error().field,
            "intervals.poll_seconds");
  EXPECT_EQ(parse_settings("[executor]\nuser = \"\"\n").error().field, "executor.user");
  EXPECT_FALSE(parse_settings("[policy\n").ok());
}

}  // namespace
}  // namespace muster::agent
