// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace muster::agent {

inline constexpr std::string_view inventory_sources =
    "dpkg|rpm|apk|pacman|snap|flatpak|python|npm|gem|cargo|go|editors|browsers|ports|services";
inline constexpr std::string_view log_levels = "info|warning|error";

/// What the owner of a host decides, in agent.toml: defaults here, names and bounds in
/// settings.def. A server can fill in what agent/pushed.def names, where the owner says nothing.
struct Settings {
#define SETTING_INT(section, name, fallback, min, max, text) \
  std::int64_t section##_##name = fallback;
#define SETTING_FLAG(section, name, fallback, text) bool section##_##name = fallback;
#define SETTING_CHOICE(section, name, fallback, choices, text) \
  std::string section##_##name = fallback;
#define SETTING_TEXT(section, name, fallback, text) std::string section##_##name = fallback;
#define SETTING_WORDS(section, name, choices, text) std::vector<std::string> section##_##name;
#define SETTING_LIST(section, name, text) std::vector<std::string> section##_##name;
#include "agent/settings.def"
#undef SETTING_LIST
#undef SETTING_FLAG
#undef SETTING_CHOICE
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_WORDS

  /// Those that agent.toml names, as "section.name".
  std::vector<std::string> given;

  bool allows(std::string_view task_type) const;
  /// Whether agent.toml names it.
  bool has(std::string_view setting) const;
};

/// Reads TOML. Fails with invalid_field naming the key, for unknown keys, wrong types, values out
/// of bounds and words that no list knows, and for signatures that are required of nobody.
Result<Settings> parse_settings(std::string_view toml);

}  // namespace muster::agent
