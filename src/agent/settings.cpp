// SPDX-License-Identifier: Apache-2.0
#include "agent/settings.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "base/toml_read.h"

namespace muster::agent {

namespace {

Result<void> read_text(const toml::node& node, const std::string& path, std::string& out) {
  const auto text = node.value_exact<std::string>();
  if (!text || text->empty() || text->size() > limits::name_bytes || !is_plain_text(*text)) {
    return invalid_field(path, "must be a string of 1 to " + std::to_string(limits::name_bytes) +
                                   " plain characters");
  }
  out = *text;
  return {};
}

Result<void> read_list(const toml::node& node, const std::string& path,
                       std::vector<std::string>& out) {
  const toml::array* list = node.as_array();
  if (list == nullptr || list->size() > limits::tags) {
    return invalid_field(path,
                         "must be a list of at most " + std::to_string(limits::tags) + " strings");
  }
  for (const toml::node& element : *list) TRY(read_text(element, path, out.emplace_back()));
  return {};
}

Result<void> read_words(const toml::node& node, const std::string& path, std::string_view choices,
                        std::vector<std::string>& out) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return invalid_field(path, "must be a list of strings");
  for (const toml::node& element : *list) {
    const auto word = element.value_exact<std::string>();
    if (!word || !is_choice(choices, *word)) {
      return invalid_field(path, "may hold " + std::string(choices) + " only");
    }
    out.push_back(*word);
  }
  return {};
}

Result<void> read_setting(Settings& settings, std::string_view section, std::string_view name,
                          const std::string& path, const toml::node& node) {
#define SETTING_INT(in_section, in_name, fallback, min, max, text) \
  if (section == #in_section && name == #in_name)                  \
    return read_toml_int(node, path, min, max, settings.in_section##_##in_name);
#define SETTING_FLAG(in_section, in_name, fallback, text) \
  if (section == #in_section && name == #in_name)         \
    return read_toml_flag(node, path, settings.in_section##_##in_name);
#define SETTING_CHOICE(in_section, in_name, fallback, choices, text) \
  if (section == #in_section && name == #in_name)                    \
    return read_toml_choice(node, path, choices, settings.in_section##_##in_name);
#define SETTING_TEXT(in_section, in_name, fallback, text) \
  if (section == #in_section && name == #in_name)         \
    return read_text(node, path, settings.in_section##_##in_name);
#define SETTING_WORDS(in_section, in_name, choices, text) \
  if (section == #in_section && name == #in_name)         \
    return read_words(node, path, choices, settings.in_section##_##in_name);
#define SETTING_LIST(in_section, in_name, text)   \
  if (section == #in_section && name == #in_name) \
    return read_list(node, path, settings.in_section##_##in_name);
#include "agent/settings.def"
#undef SETTING_LIST
#undef SETTING_FLAG
#undef SETTING_CHOICE
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_WORDS
  return unknown_setting(path);
}

}  // namespace

bool Settings::allows(std::string_view task_type) const {
  return std::find(policy_allow.begin(), policy_allow.end(), task_type) != policy_allow.end();
}

bool Settings::has(std::string_view setting) const {
  return std::find(given.begin(), given.end(), setting) != given.end();
}

Result<Settings> parse_settings(std::string_view text) {
  Settings settings;
  TRY(read_toml(text, [&](std::string_view section, std::string_view name, const std::string& path,
                          const toml::node& node) {
    settings.given.push_back(path);
    return read_setting(settings, section, name, path, node);
  }));
  if (settings.policy_require_signed_tasks && settings.policy_trusted_task_keys.empty()) {
    return invalid_field("policy.trusted_task_keys",
                         "must name a key, since policy.require_signed_tasks is true");
  }
  return settings;
}

}  // namespace muster::agent
