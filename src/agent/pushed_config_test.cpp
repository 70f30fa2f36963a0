// SPDX-License-Identifier: Apache-2.0
// What a server pushes fills in what the host's owner left open, within the host's own bounds, or
// it changes nothing at all.
#include "agent/pushed_config.h"

#include <gtest/gtest.h>

#include "agent/testing/world.h"
#include "base/seeded_rng.h"

namespace muster::agent {
namespace {

using testing::FakeWorld;

PushedConfig config_of(const std::string& document) {
  return {crypto::sha256(document).text(), document};
}

TEST(LayOver, FillsInWhatTheOwnerLeftOpen) {
  const Settings own =
      parse_settings("[intervals]\npoll_seconds = 7\n[inventory]\nskip = [\"go\"]\n").value();
  const Settings settings =
      lay_over(own, R"({"agent_heartbeat_seconds": 120, "agent_poll_seconds": 600,
                        "agent_inventory_skip": "npm,go", "agent_log_level": "error"})")
          .value();
  EXPECT_EQ(settings.intervals_heartbeat_seconds, 120);
  EXPECT_EQ(settings.intervals_poll_seconds, 7) << "the owner's word";
  EXPECT_EQ(settings.inventory_skip, (std::vector<std::string>{"go", "npm"}));
  EXPECT_EQ(settings.log_level, "error");
}

TEST(LayOver, IsAllOrNothingAndNamesWhatIsWrong) {
  const auto fault = [](const std::string& document) {
    const auto settings = lay_over(Settings{}, document);
    return settings.ok() ? std::string("(taken)") : settings.error().field;
  };
  EXPECT_EQ(fault("{}"), "(taken)");
  for (const std::string document : {"", "null", "[]", "{", "{}x", "1"}) {
    EXPECT_EQ(fault(document), "config_document") << document;
  }
  EXPECT_EQ(fault(R"({"agent_poll_seconds": 4})"), "agent_poll_seconds");
  EXPECT_EQ(fault(R"({"agent_poll_seconds": 3601})"), "agent_poll_seconds");
  EXPECT_EQ(fault(R"({"agent_poll_seconds": "60"})"), "agent_poll_seconds");
  EXPECT_EQ(fault(R"({"agent_poll_seconds": null})"), "agent_poll_seconds");
  EXPECT_EQ(fault(R"({"agent_log_level": "debug"})"), "agent_log_level");
  EXPECT_EQ(fault(R"({"agent_inventory_skip": "go,,npm"})"), "agent_inventory_skip");
  EXPECT_EQ(fault(R"({"agent_inventory_skip": "host"})"), "agent_inventory_skip");
  EXPECT_EQ(fault(R"({"agent_inventory_skip": ["go"]})"), "agent_inventory_skip");
  EXPECT_EQ(fault(R"({"agent_poll_seconds": 60, "scan_interval": 60})"), "scan_interval");
}

TEST(LayOver, NothingOfPolicyExecutorOrUpdateCanBePushed) {
  // Under whatever name somebody may try.
  for (const char* section : {"policy", "executor", "update"}) {
#define SETTING_INT(in, name, ...) TRY_NAMES(in, name, "1")
#define SETTING_TEXT(in, name, ...) TRY_NAMES(in, name, "\"root\"")
#define SETTING_CHOICE(in, name, ...) TRY_NAMES(in, name, "\"info\"")
#define SETTING_FLAG(in, name, ...) TRY_NAMES(in, name, "false")
#define SETTING_WORDS(in, name, ...) TRY_NAMES(in, name, "[]")
#define SETTING_LIST(in, name, ...) TRY_NAMES(in, name, "[]")
#define TRY_NAMES(in, name, value)                                                             \
  if (std::string_view(#in) == section) {                                                      \
    for (const char* key :                                                                     \
         {#in "." #name, #in "_" #name, "agent_" #in "_" #name, "agent_" #name}) {             \
      EXPECT_FALSE(lay_over(Settings{}, std::string("{\"") + key + "\": " + value + "}").ok()) \
          << key;                                                                              \
    }                                                                                          \
  }
#include "agent/settings.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_CHOICE
#undef SETTING_FLAG
#undef SETTING_WORDS
#undef SETTING_LIST
#undef TRY_NAMES
  }
  for (const char* key : {"server_url", "agent_server_url", "ca_file", "key"}) {
    EXPECT_FALSE(lay_over(Settings{}, std::string("{\"") + key + "\": \"x\"}").ok()) << key;
  }
}

/// All that no push may change, as one text.
std::string fenced(const Settings& settings) {
  std::string out;
#define SETTING_INT(in, name, ...) \
  if (is_fenced(#in)) out += std::to_string(settings.in##_##name) + ";";
#define SETTING_TEXT(in, name, ...) \
  if (is_fenced(#in)) out += settings.in##_##name + ";";
#define SETTING_CHOICE(in, name, ...) SETTING_TEXT(in, name)
#define SETTING_FLAG(in, name, ...) SETTING_INT(in, name)
#define SETTING_WORDS(in, name, ...) \
  if (is_fenced(#in))                \
    for (const std::string& word : settings.in##_##name) out += word + ",";
#define SETTING_LIST(in, name, ...) SETTING_WORDS(in, name)
  const auto is_fenced = [](std::string_view section) {
    return section == "policy" || section == "executor" || section == "update";
  };
#include "agent/settings.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_CHOICE
#undef SETTING_FLAG
#undef SETTING_WORDS
#undef SETTING_LIST
  return out;
}

TEST(LayOver, WhateverIsPushedNarrowsOnly) {
  const Settings own = parse_settings(
                           "[policy]\nallow = [\"execute_command\"]\n"
                           "[inventory]\nskip = [\"go\"]\n"
                           "[executor]\nuser = \"daemon\"\n[update]\ntrusted_keys = [\"x\"]\n")
                           .value();
  SeededRng rng(5);
  const std::vector<std::string> names = {"agent_heartbeat_seconds",
                                          "agent_poll_seconds",
                                          "agent_report_seconds",
                                          "agent_changes_seconds",
                                          "agent_inventory_skip",
                                          "agent_log_level",
                                          "policy.allow",
                                          "executor.user"};
  const std::vector<std::string> values = {"60",        "3600", "-1",   "0",    "900",
                                           "1e9",       "null", "true", "[60]", "\"go,npm\"",
                                           "\"error\"", "{}",   "\"\""};
  int taken = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string document = "{";
    for (std::size_t n = rng.below(4); n > 0; --n) {
      document += (document.size() > 1 ? ", \"" : "\"") + names[rng.below(names.size())] +
                  "\": " + values[rng.below(values.size())];
    }
    const auto settings = lay_over(own, document + "}");
    if (!settings.ok()) continue;
    ++taken;
    EXPECT_EQ(fenced(*settings), fenced(own)) << document;
    EXPECT_EQ(settings->inventory_skip.front(), "go") << "what the owner leaves out stays out";
    EXPECT_GE(settings->intervals_heartbeat_seconds, 10);
    EXPECT_GE(settings->intervals_poll_seconds, 5);
    EXPECT_LE(settings->intervals_poll_seconds, 3600);
  }
  EXPECT_GT(taken, 500);
}

TEST(Origins, SayWhereEachValueComesFrom) {
  const Settings own =
      parse_settings("[intervals]\npoll_seconds = 7\n[inventory]\nskip = [\"go\"]\n").value();
  std::map<std::string, std::string> from;
  std::map<std::string, std::string> value;
  for (const Origin& origin :
       origins(own, R"({"agent_poll_seconds": 600, "agent_report_seconds": 900,
                        "agent_inventory_skip": "npm"})")) {
    from[origin.name] = origin.from;
    value[origin.name] = origin.value;
  }
  EXPECT_EQ(from["intervals.poll_seconds"], "file");
  EXPECT_EQ(value["intervals.poll_seconds"], "7");
  EXPECT_EQ(from["intervals.report_seconds"], "server");
  EXPECT_EQ(value["intervals.report_seconds"], "900");
  EXPECT_EQ(from["intervals.heartbeat_seconds"], "default");
  EXPECT_EQ(from["inventory.skip"], "file and server");
  EXPECT_EQ(value["inventory.skip"], "go,npm");
}

// --- The agent ---------------------------------------------------------------------------------

struct PushingWorld : FakeWorld {
  std::string last_beat(std::string_view member) {
    const auto value = thread_json().parse(server.heartbeats.back()).value().find(member);
    return value ? std::string(value->string().value_or("(no text)")) : "(absent)";
  }
  std::size_t fetches() { return server.count("/api/agent/config"); }
};

TEST(PushedConfig, MutesNothingOfWhatIsDoneToTheHost) {
  for (const std::string own : {"info", "error"}) {
    PushingWorld world;
    world.settings.log_level = own;
    world.server.config = config_of(R"({"agent_log_level": "error"})");
    ASSERT_TRUE(world.run_once().ok());
    world.logged.clear();
    world.server.add_command("true");
    ASSERT_TRUE(world.run_once().ok());
    const bool told = world.logged.find("task_started") != std::string::npos;
    EXPECT_EQ(told, own == "info") << "its owner can leave that out";
    EXPECT_EQ(world.logged.find("report_acknowledged"), std::string::npos);
  }
}

TEST(PushedConfig, IsFetchedOncePutInForceAndTold) {
  PushingWorld world;
  world.server.config =
      config_of(R"({"agent_heartbeat_seconds": 600, "agent_inventory_skip": "go"})");
  ASSERT_TRUE(world.run_for(std::chrono::hours(2)).ok());
  EXPECT_EQ(world.fetches(), 1U);
  EXPECT_EQ(world.last_beat("config_hash"), world.server.config->hash);
  EXPECT_EQ(world.last_beat("config_error"), "(absent)");
  EXPECT_LT(world.server.heartbeats.size(), 20U) << "every ten minutes";
  EXPECT_EQ(world.host.skipped, std::vector<std::string>{"go"});
  world.server.heartbeats.clear();
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_EQ(world.fetches(), 1U) << "it is on disk";
  EXPECT_EQ(world.last_beat("config_hash"), world.server.config->hash);
}

TEST(PushedConfig, WhatCameOfItIsToldAtOnce) {
  for (const bool good : {true, false}) {
    PushingWorld world;
    world.server.config =
        config_of(R"({"agent_poll_seconds": )" + std::string(good ? "60}" : "1}"));
    ASSERT_TRUE(world.run_once().ok());
    EXPECT_EQ(world.server.heartbeats.size(), 2U);
    EXPECT_EQ(world.last_beat("config_hash"), good ? world.server.config->hash : "");
    EXPECT_EQ(world.last_beat("config_error") == "(absent)", good);
  }
}

TEST(PushedConfig, AServerThatChangesItsMindEachTimeIsNotAnsweredAtFullSpeed) {
  PushingWorld world;
  int number = 60;
  world.server.change = [&](const Call& call, Answer&) {
    if (call.target != "/api/agent/config") return;
    world.server.config = config_of("{\"agent_poll_seconds\": " + std::to_string(++number) + "}");
  };
  world.server.config = config_of(R"({"agent_poll_seconds": 60})");
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_LT(world.server.heartbeats.size(), 150U);
}

TEST(PushedConfig, AShorterIntervalCountsAtOnce) {
  PushingWorld world;
  world.settings.intervals_poll_seconds = 3600;
  world.server.config = config_of(R"({"agent_poll_seconds": 60})");
  ASSERT_TRUE(world.run_for(std::chrono::minutes(10)).ok());
  EXPECT_GE(world.server.count("/api/agent/tasks"), 8U);
}

TEST(PushedConfig, TakenBackLeavesTheOwners) {
  PushingWorld world;
  world.server.config = config_of(R"({"agent_heartbeat_seconds": 600})");
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_TRUE(world.files.read("config.json").has_value());
  world.server.config = PushedConfig{};
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_FALSE(world.files.read("config.json").has_value());
  EXPECT_EQ(world.last_beat("config_hash"), "");
  EXPECT_GT(world.server.heartbeats.size(), 30U) << "every minute again";
}

TEST(PushedConfig, ARefusedOneLeavesTheLastGoodOneAndIsToldWithTheReason) {
  PushingWorld world;
  const PushedConfig good = config_of(R"({"agent_heartbeat_seconds": 300})");
  world.server.config = good;
  ASSERT_TRUE(world.run_once().ok());
  world.server.config = config_of(R"({"agent_heartbeat_seconds": 300, "policy_allow": "all"})");
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_EQ(world.fetches(), 2U) << "the same is not asked for again";
  EXPECT_EQ(world.last_beat("config_hash"), good.hash);
  EXPECT_EQ(world.last_beat("config_error"),
            "policy_allow: is nothing that a server may set on this host");
  EXPECT_EQ(decode_config(*world.files.read("config.json")), good);
  world.server.config = config_of(R"({"agent_heartbeat_seconds": 60})");
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_EQ(world.last_beat("config_hash"), world.server.config->hash);
  EXPECT_EQ(world.last_beat("config_error"), "(absent)");
}

TEST(PushedConfig, TheReasonIsPlainTextWhateverWasSent) {
  PushingWorld world;
  world.server.config = config_of("{\"\\u001b[2J\\n" + std::string(4000, 'x') + "\": 1}");
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  const std::string told = world.last_beat("config_error");
  EXPECT_TRUE(told.starts_with("\\x1b[2J\\x0a")) << told.substr(0, 40);
  EXPECT_EQ(told.size(), limits::detail_bytes);
}

TEST(PushedConfig, AnotherDocumentThanTheHashNamesIsRefused) {
  PushingWorld world;
  world.server.config = config_of(R"({"agent_heartbeat_seconds": 300})");
  world.server.config->document = R"({"agent_heartbeat_seconds": 10})";
  ASSERT_TRUE(world.run_for(std::chrono::hours(1)).ok());
  EXPECT_EQ(world.last_beat("config_hash"), "");
  EXPECT_EQ(world.last_beat("config_error"), "config_hash: is not the hash of the document");
}

TEST(PushedConfig, AServerThatSaysNothingOfItChangesNothing) {
  PushingWorld world;
  world.server.config = config_of(R"({"agent_heartbeat_seconds": 300})");
  ASSERT_TRUE(world.run_once().ok());
  world.server.config.reset();
  ASSERT_TRUE(world.run_once().ok());
  EXPECT_TRUE(world.files.read("config.json").has_value());
}

TEST(PushedConfig, GarbageOfABrokenServerLeavesEveryFileAsItWas) {
  PushingWorld world;
  world.server.config = config_of(R"({"agent_heartbeat_seconds": 300})");
  const TaskId task = world.server.add_command("true");
  ASSERT_TRUE(world.run_once().ok());
  const auto before = world.files.content;
  SeededRng rng(9);
  const std::vector<std::string> garbage = {
      "",
      "{",
      "null",
      "[]",
      R"({"success": true})",
      R"({"success": true, "data": null})",
      R"({"success": true, "data": []})",
      R"({"success": true, "data": {"config_hash": 5, "config_document": {}}})",
      R"({"success": true, "data": {"config_hash": "x", "config_document": "{}"}})",
      R"({"success": true, "data": {"config_document": ")" + std::string(100'000, 'a') + "\"}}",
      std::string(1000, '\xff')};
  for (const std::string& body : garbage) {
    for (const int status : {200, 204, 301, 404, 500}) {
      world.server.config->hash = "other-" + std::to_string(rng.next_u64());
      world.server.change = [&](const Call& call, Answer& answer) {
        if (call.target == "/api/agent/config") answer = {status, {}, body};
      };
      ASSERT_TRUE(world.run_for(std::chrono::minutes(30)).ok());
      for (const char* file : {"config.json", "identity.json"}) {
        EXPECT_EQ(world.files.content[file], before.at(file))
            << status << " " << body.substr(0, 80);
      }
      EXPECT_NE(world.last_beat("config_hash"), "") << "the last good one is in force";
    }
  }
  EXPECT_EQ(world.executor.runs[task], 1);
}

TEST(PushedConfig, ADamagedFileIsFetchedAgain) {
  PushingWorld world;
  world.server.config = config_of(R"({"agent_heartbeat_seconds": 300})");
  ASSERT_TRUE(world.run_once().ok());
  for (const std::string damage : {"", "{", R"({"config_hash": "00", "config_document": "{}"})"}) {
    world.files.content["config.json"] = damage;
    ASSERT_TRUE(world.run_once().ok());
    EXPECT_EQ(decode_config(*world.files.read("config.json")), world.server.config);
  }
}

TEST(PushedConfig, NoCrashCostsMoreThanAnotherFetch) {
  bool crashed = true;
  for (int point = 0; crashed; ++point) {
    PushingWorld world;
    world.server.config = config_of(R"({"agent_heartbeat_seconds": 300})");
    world.files.crash_at(point, point % 2 == 0);
    crashed = world.crashes_once();
    world.files.crash_never();
    ASSERT_TRUE(world.run_once().ok()) << point;
    ASSERT_TRUE(world.run_once().ok()) << point;
    EXPECT_EQ(world.last_beat("config_hash"), world.server.config->hash);
  }
}

}  // namespace
}  // namespace muster::agent
