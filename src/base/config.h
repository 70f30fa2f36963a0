// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/json_write.h"
#include "base/result.h"
#include "base/time.h"

namespace muster {

/// "a b" as {"a", "b"}.
std::vector<std::string> words_of(std::string_view text);

/// What an operator may set in the configuration file (TOML). Every member has its default here and
/// its name and bounds in config.def; an unknown key or a value out of bounds is fatal at start.
struct Config {
#define SETTING_INT(section, name, fallback, min, max, text) \
  std::int64_t section##_##name = fallback;
#define SETTING_TEXT(section, name, fallback, choices, text) \
  std::string section##_##name = fallback;
#define SETTING_FLAG(section, name, fallback, text) bool section##_##name = fallback;
#define SETTING_NETWORKS(section, name, text) std::vector<IpNetwork> section##_##name;
#define SETTING_STRING(section, name, fallback, text) std::string section##_##name = fallback;
#define SETTING_STRINGS(section, name, fallback, text) \
  std::vector<std::string> section##_##name = words_of(fallback);
#include "base/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_FLAG
#undef SETTING_NETWORKS
#undef SETTING_STRING
#undef SETTING_STRINGS

  Duration clock_skew() const {
    return std::chrono::seconds(limits_clock_skew_seconds);
  }
  Duration offline_after() const {
    return std::chrono::seconds(presence_offline_after_seconds);
  }
  Duration session_idle() const {
    return std::chrono::minutes(console_session_idle_minutes);
  }
  Duration session_length() const {
    return std::chrono::hours(console_session_hours);
  }
  Duration host_offline_after() const {
    return std::chrono::seconds(presence_host_offline_after_seconds);
  }
  /// 0 is never.
  Duration rotate_keys_after() const {
    return std::chrono::hours(24 * keys_rotate_after_days);
  }
  Duration event_retention() const {
    return std::chrono::hours(24 * history_event_days);
  }
  Duration result_retention() const {
    return std::chrono::hours(24 * history_result_days);
  }
  /// 0 is never.
  Duration feed_sync_interval() const {
    return std::chrono::hours(feeds_sync_hours);
  }
  Duration sample_retention() const {
    return std::chrono::hours(24 * history_sample_days);
  }
};

/// Reads TOML. Fails with invalid_field naming the key, for unknown keys, wrong types and values
/// out of bounds.
Result<Config> parse_config(std::string_view toml);

/// parse_config of a file, whose name begins the message of each failure; fails as read_file too.
Result<Config> read_config(const std::string& path);

/// A flag of musterd's command line and what it was started with.
struct StartFlag {
  std::string name;  // "--listen"
  std::string value;
  std::string fallback;
  std::string meaning;
};

/// Every key with its value in force, its default, whether they differ, and what it means; then
/// `flags` likewise: `muster config explain` and GET /api/v1/config. Of a text that is an address,
/// what may prove something is left out: "https://***@mirror.lan/nvd?***".
std::string explain_config_json(const Config& config, std::span<const StartFlag> flags = {});

}  // namespace muster
