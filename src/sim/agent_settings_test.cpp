// SPDX-License-Identifier: Apache-2.0
// The server's list of settings for agents and the agent's own list name the same, and what the one
// lets an operator set the other takes.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "agent/pushed_config.h"
#include "fleet/settings.h"

namespace muster::sim {
namespace {

std::set<std::string> names_of_server() {
  return {
#define AGENT_INTEGER(name, min, max, meaning) #name,
#define AGENT_WORD(name, choices, meaning) #name,
#define AGENT_WORDS(name, choices, meaning) #name,
#include "fleet/settings.def"
  };
}

std::set<std::string> names_of_agent() {
  return {
#define PUSHED_INT(known, section, name, min, max) #known,
#define PUSHED_CHOICE(known, section, name, choices) #known,
#define PUSHED_MORE(known, section, name, choices) #known,
#include "agent/pushed.def"
#undef PUSHED_INT
#undef PUSHED_CHOICE
#undef PUSHED_MORE
  };
}

/// The document of a host with these settings, as the agent takes it.
testing::AssertionResult is_taken(const fleet::HostSettings& settings) {
  const auto laid = agent::lay_over(agent::Settings{}, fleet::agent_document(settings));
  if (laid.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << laid.error().message;
}

TEST(AgentSettings, AreTheSameOnBothSides) {
  EXPECT_EQ(names_of_server(), names_of_agent());
}

TEST(AgentSettings, WhateverAnOperatorMaySetAnAgentTakes) {
#define AGENT_INTEGER(name, min, max, meaning)  \
  for (const std::int64_t value : {min, max}) { \
    fleet::HostSettings settings;               \
    settings.name = value;                      \
    EXPECT_TRUE(is_taken(settings)) << #name;   \
  }
#define AGENT_WORDS(name, choices, meaning)               \
  {                                                       \
    fleet::HostSettings settings;                         \
    settings.name = choices;                              \
    for (char& c : settings.name) c = c == '|' ? ',' : c; \
    EXPECT_TRUE(is_taken(settings)) << #name;             \
  }
#define AGENT_WORD(name, choices, meaning)           \
  for (std::string rest = choices; !rest.empty();) { \
    fleet::HostSettings settings;                    \
    settings.name = rest.substr(0, rest.find('|'));  \
    rest.erase(0, settings.name.size() + 1);         \
    EXPECT_TRUE(is_taken(settings)) << #name;        \
  }
#include "fleet/settings.def"
}

}  // namespace
}  // namespace muster::sim
