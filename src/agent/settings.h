// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace muster::agent {

/// What the owner of a host decides, in agent.toml: defaults here, names and bounds in
/// settings.def. The server cannot change any of it.
struct Settings {
#define SETTING_INT(section, name, fallback, min, max, text) \
  std::int64_t section##_##name = fallback;
#define SETTING_TEXT(section, name, fallback, text) std::string section##_##name = fallback;
#define SETTING_WORDS(section, name, choices, text) std::vector<std::string> section##_##name;
#define SETTING_LIST(section, name, text) std::vector<std::string> section##_##name;
#include "agent/settings.def"
#undef SETTING_LIST
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_WORDS

  bool allows(std::string_view task_type) const;
};

/// Reads TOML. Fails with invalid_field naming the key, for unknown keys, wrong types, values out
/// of bounds and words that no list knows.
Result<Settings> parse_settings(std::string_view toml);

}  // namespace muster::agent
