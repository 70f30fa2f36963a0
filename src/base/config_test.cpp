// SPDX-License-Identifier: Apache-2.0
#include "base/config.h"

#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/test_directory.h"

namespace muster {
namespace {

std::string failing_key(std::string_view toml) {
  const Result<Config> config = parse_config(toml);
  return config.ok() ? "ok" : config.error().field;
}

TEST(Config, AnEmptyFileGivesTheDefaults) {
  const Config config = parse_config("").value();
  EXPECT_EQ(config.limits_report_per_minute, 60);
  EXPECT_EQ(config.limits_device_per_minute, 240);
  EXPECT_EQ(config.clock_skew(), std::chrono::seconds(300));
  EXPECT_EQ(config.offline_after(), std::chrono::seconds(180));
  EXPECT_EQ(config.hosts_unique_hostnames, "global");
}

TEST(Config, OfAFileThatCannotBeUsedIsNotTheDefaults) {
  const TestDirectory directory;
  const std::string path = directory.path() + "/musterd.toml";
  EXPECT_EQ(read_config(path).error().message, path + ": No such file or directory");
  EXPECT_EQ(read_config(directory.path()).error().message, directory.path() + ": Is a directory");
  std::ofstream(path) << "[limits]\nreports = 7\n";
  EXPECT_EQ(read_config(path).error().message,
            path + ": " + parse_config("limits.reports = 7").error().message)
      << "a server may have several files; which one is meant stands first";
}

TEST(Config, ReadsBothWaysOfWritingAKey) {
  EXPECT_EQ(parse_config("limits.report_per_minute = 7").value().limits_report_per_minute, 7);
  const Config config =
      parse_config("[limits]\nreport_per_minute = 7\n[hosts]\nunique_hostnames = \"org\"").value();
  EXPECT_EQ(config.limits_report_per_minute, 7);
  EXPECT_EQ(config.hosts_unique_hostnames, "org");
}

TEST(Config, UnknownKeysAreFatalAndNamed) {
  EXPECT_EQ(failing_key("limits.reports_per_minute = 1"), "limits.reports_per_minute");
  EXPECT_EQ(failing_key("[limit]\nreport_per_minute = 1"), "limit.report_per_minute");
  EXPECT_EQ(failing_key("report_per_minute = 1"), "report_per_minute");
  EXPECT_EQ(failing_key("limits.deep.er = 1"), "limits.deep");
}

TEST(Config, ValuesOfTheWrongTypeAreNamed) {
  EXPECT_EQ(failing_key("limits.report_per_minute = \"7\""), "limits.report_per_minute");
  EXPECT_EQ(failing_key("limits.report_per_minute = 7.0"), "limits.report_per_minute");
  EXPECT_EQ(failing_key("limits.report_per_minute = true"), "limits.report_per_minute");
  EXPECT_EQ(failing_key("hosts.unique_hostnames = 1"), "hosts.unique_hostnames");
  EXPECT_EQ(failing_key("hosts.unique_hostnames = \"\""), "hosts.unique_hostnames");
  EXPECT_EQ(failing_key("hosts.unique_hostnames = \"global|org\""), "hosts.unique_hostnames");
}

TEST(Config, NetworksAreReadAndABadOneIsNamed) {
  const Config config =
      parse_config("[net]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nproxy_protocol = true")
          .value();
  ASSERT_EQ(config.net_trusted_proxies.size(), 2U);
  EXPECT_TRUE(contains(config.net_trusted_proxies, *parse_ip_address("10.1.2.3")));
  EXPECT_TRUE(config.net_proxy_protocol);
  const auto bad = parse_config("net.trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().field, "net.trusted_proxies");
  EXPECT_NE(bad.error().message.find("\"proxy\""), std::string::npos);
  EXPECT_EQ(failing_key("net.trusted_proxies = [1]"), "net.trusted_proxies");
  EXPECT_EQ(failing_key("net.proxy_protocol = true"), "net.proxy_protocol");
}

TEST(Config, AListThatIsGivenReplacesTheDefaults) {
  EXPECT_EQ(parse_config("").value().feeds_debian,
            std::vector<std::string>{"https://security-tracker.debian.org/tracker/data/json"});
  const Config config = parse_config("feeds.debian = [\"/srv/a b\", \"https://m/\"]").value();
  EXPECT_EQ(config.feeds_debian, (std::vector<std::string>{"/srv/a b", "https://m/"}));
  EXPECT_EQ(words_of(" a  b "), (std::vector<std::string>{"a", "b"}));
}

TEST(Config, WhatIsNotTomlIsRefused) {
  EXPECT_FALSE(parse_config("limits.report_per_minute =").ok());
  EXPECT_FALSE(parse_config("[limits\n").ok());
  EXPECT_FALSE(parse_config("a = 1\na = 2").ok());
}

TEST(Config, EveryKeyIsHeldToItsBounds) {
#define SETTING_INT(section, name, fallback, min, max, text)                                      \
  EXPECT_EQ(failing_key(#section "." #name " = " + std::to_string(min)), "ok");                   \
  EXPECT_EQ(failing_key(#section "." #name " = " + std::to_string(max)), "ok");                   \
  EXPECT_EQ(failing_key(#section "." #name " = " + std::to_string(min - 1)), #section "." #name); \
  EXPECT_EQ(failing_key(#section "." #name " = " + std::to_string(max + 1LL)),                    \
            #section "." #name);                                                                  \
  EXPECT_TRUE(fallback >= min && fallback <= max) << #name;
#define SETTING_TEXT(section, name, fallback, choices, text) \
  EXPECT_EQ(failing_key(#section "." #name " = \"" fallback "\""), "ok");
#define SETTING_FLAG(section, name, fallback, text)                 \
  EXPECT_EQ(failing_key(#section "." #name " = " #fallback), "ok"); \
  EXPECT_EQ(failing_key(#section "." #name " = 1"), #section "." #name);
#define SETTING_NETWORKS(section, name, text)               \
  EXPECT_EQ(failing_key(#section "." #name " = []"), "ok"); \
  EXPECT_EQ(failing_key(#section "." #name " = \"::1\""), #section "." #name);
#define SETTING_STRING(section, name, fallback, text)                 \
  EXPECT_EQ(failing_key(#section "." #name " = \"any word\""), "ok"); \
  EXPECT_EQ(failing_key(#section "." #name " = 1"), #section "." #name);
#define SETTING_STRINGS(section, name, fallback, text)                        \
  EXPECT_EQ(failing_key(#section "." #name " = [\"any word\"]"), "ok");       \
  EXPECT_EQ(failing_key(#section "." #name " = []"), "ok");                   \
  EXPECT_EQ(failing_key(#section "." #name " = [\"\"]"), #section "." #name); \
  EXPECT_EQ(failing_key(#section "." #name " = \"not a list\""), #section "." #name);
#include "base/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_FLAG
#undef SETTING_NETWORKS
#undef SETTING_STRING
#undef SETTING_STRINGS
}

TEST(Config, ExplainNamesEveryKeyWithItsValueAndDefault) {
  const Config config = parse_config("limits.report_per_minute = 7").value();
  JsonDocument document;
  std::map<std::string, std::string> rows;
  document.parse(explain_config_json(config)).value().for_each([&](const Json& row) {
    EXPECT_FALSE(row.find("meaning")->string()->empty());
    rows[std::string(*row.find("key")->string())] =
        row.find("value")->serialise() + " of " + row.find("default")->serialise();
  });
  EXPECT_EQ(rows["limits.report_per_minute"], "7 of 60");
  EXPECT_EQ(rows["hosts.unique_hostnames"], "\"global\" of \"global\"");
  std::size_t keys = 0;
#define SETTING_INT(section, name, ...) keys += rows.contains(#section "." #name) ? 1U : 0U;
#define SETTING_TEXT(section, name, ...) keys += rows.contains(#section "." #name) ? 1U : 0U;
#define SETTING_FLAG(section, name, ...) keys += rows.contains(#section "." #name) ? 1U : 0U;
#define SETTING_NETWORKS(section, name, ...) keys += rows.contains(#section "." #name) ? 1U : 0U;
#define SETTING_STRING(section, name, ...) keys += rows.contains(#section "." #name) ? 1U : 0U;
#define SETTING_STRINGS(section, name, ...) keys += rows.contains(#section "." #name) ? 1U : 0U;
#include "base/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_FLAG
#undef SETTING_NETWORKS
#undef SETTING_STRING
#undef SETTING_STRINGS
  EXPECT_EQ(rows.size(), keys);
}

/// The rows of explain_config_json by their keys, as text.
std::map<std::string, std::string> explained(const Config& config,
                                             std::span<const StartFlag> flags = {}) {
  std::map<std::string, std::string> rows;
  JsonDocument document;
  document.parse(explain_config_json(config, flags)).value().for_each([&](const Json& row) {
    rows[std::string(*row.find("key")->string())] = row.serialise();
  });
  return rows;
}

std::string shown(std::string_view address) {
  Config config;
  config.egress_proxy = address;
  JsonDocument document;
  std::string value;
  document.parse(explain_config_json(config)).value().for_each([&](const Json& row) {
    if (row.find("key")->string() == "egress.proxy") value = *row.find("value")->string();
  });
  return value;
}

TEST(Config, ExplainMarksWhatIsNotTheDefault) {
  Config config;
  config.limits_report_per_minute = 7;
  config.net_proxy_protocol = true;
  config.net_trusted_proxies = {*parse_ip_network("10.0.0.0/8")};
  config.oidc_name = "Example";
  config.feeds_debian = {"/srv/debian.json"};
  config.hosts_unique_hostnames = "org";
  std::size_t changed = 0;
  for (const auto& [key, row] : explained(config)) {
    changed += row.find(R"("changed": true)") == std::string::npos ? 0U : 1U;
  }
  EXPECT_EQ(changed, 6U);
}

TEST(Config, ExplainEndsWithTheFlagsThatItIsGiven) {
  const std::vector<StartFlag> flags = {
      {"--listen", "[::1]:9", "127.0.0.1:8480", "ADDRESS:PORT to listen on"},
      {"--data", "/var/\xff", "", "Directory of the store"}};
  auto rows = explained({}, flags);
  EXPECT_EQ(rows["--listen"], R"({"key": "--listen", "value": "[::1]:9", )"
                              R"("default": "127.0.0.1:8480", "changed": true, )"
                              R"("meaning": "ADDRESS:PORT to listen on"})");
  EXPECT_NE(rows["--data"].find("/var/\xEF\xBF\xBD"), std::string::npos) << "no UTF-8";
}

TEST(Config, ExplainLeavesOutWhatProvesSomethingInAnAddress) {
  EXPECT_EQ(shown("http://proxy.lan:3128"), "http://proxy.lan:3128");
  EXPECT_EQ(shown("http://ada:pw@proxy.lan:3128"), "http://***@proxy.lan:3128");
  EXPECT_EQ(shown("http://token@proxy.lan"), "http://***@proxy.lan") << "a name may be a token";
  EXPECT_EQ(shown("ada:pw@proxy.lan:3128"), "***@proxy.lan:3128") << "without a scheme";
  EXPECT_EQ(shown("https://m.lan/a?apiKey=pw"), "https://m.lan/a?***");
  EXPECT_EQ(shown("https://ada:p@w/x?y@m.lan/a?b"), "https://***@m.lan/a?***");
  EXPECT_EQ(shown("/srv/feeds/what?@1"), "/srv/feeds/what?@1") << "a path is no address";
}

/// Numbers, flags, choices and networks cannot hold a secret; texts can.
TEST(Config, NoSettingsSecretIsExplained) {
  const std::string secret = "hunter2";
  const std::string address = "https://ada:" + secret + "@m.lan/x?key=" + secret;
  Config config;
  std::size_t texts = 0;
#define SETTING_INT(section, name, ...)
#define SETTING_TEXT(section, name, ...)
#define SETTING_FLAG(section, name, ...)
#define SETTING_NETWORKS(section, name, ...)
#define SETTING_STRING(section, name, ...) \
  config.section##_##name = address;       \
  ++texts;
#define SETTING_STRINGS(section, name, ...)                \
  config.section##_##name = {"/srv/a", address, "/srv/b"}; \
  ++texts;
#include "base/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_FLAG
#undef SETTING_NETWORKS
#undef SETTING_STRING
#undef SETTING_STRINGS
  const std::vector<StartFlag> flags = {
      {"--store", "postgresql://muster:" + secret + "@db.lan/muster?password=" + secret, "sqlite",
       "Where data is kept"}};
  std::size_t masked = 0;
  for (const auto& [key, row] : explained(config, flags)) {
    EXPECT_EQ(row.find(secret), std::string::npos) << row;
    masked += row.find("://***@") == std::string::npos ? 0U : 1U;
  }
  EXPECT_GT(texts, 0U);
  EXPECT_EQ(masked, texts + flags.size());
}

/// What is secret as a whole stands in a file, of which the setting is the path.
TEST(Config, HasNoSettingThatIsASecret) {
  std::set<std::string> secrets;
  const auto look = [&](const std::string& key) {
    for (const char* word : {"secret", "password", "token", "key"}) {
      const std::string name = key.substr(key.find('.') + 1);
      if (name.find(word) != std::string::npos) secrets.insert(key);
    }
  };
#define SETTING_INT(section, name, ...)
#define SETTING_TEXT(section, name, ...)
#define SETTING_FLAG(section, name, ...)
#define SETTING_NETWORKS(section, name, ...)
#define SETTING_STRING(section, name, ...) look(#section "." #name);
#define SETTING_STRINGS(section, name, ...) look(#section "." #name);
#include "base/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_FLAG
#undef SETTING_NETWORKS
#undef SETTING_STRING
#undef SETTING_STRINGS
  EXPECT_EQ(secrets, (std::set<std::string>{"feeds.nvd_api_key_file", "oidc.client_secret_file"}));
  for (const std::string& key : secrets) EXPECT_TRUE(key.ends_with("_file")) << key;
}

TEST(Limits, AgreeWithEachOther) {
  namespace l = limits;
  EXPECT_LE(l::head_bytes, 16 * l::KiB) << "mission rule 3";
  EXPECT_LE(l::enroll_body_bytes, 16 * l::KiB) << "mission rule 3";
  EXPECT_LE(l::compressed_body_bytes, l::report_body_bytes) << "a compressed report must get in";
  EXPECT_LE(l::decompressed_body_bytes, l::report_body_bytes);
  EXPECT_GE(l::result_body_bytes, 2 * 6 * l::output_bytes) << "both streams, all escaped";
  EXPECT_GE(l::small_body_bytes, l::command_bytes * 6) << "a command of escapes";
  EXPECT_LE(l::page_size_default, l::page_size);
  EXPECT_LE(l::execution_timeout_seconds_default, l::execution_timeout_seconds_max);
  EXPECT_GE(l::lease_min, l::lease_margin);
}

}  // namespace
}  // namespace muster
