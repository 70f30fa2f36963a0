// SPDX-License-Identifier: Apache-2.0
#include "agent/settings.h"

#include <algorithm>
#include <sstream>

#include <toml++/toml.h>

#include "base/limits.h"
#include "base/text.h"

namespace muster::agent {

namespace {

Result<void> read_int(const toml::node& node, const std::string& path, std::int64_t min,
                      std::int64_t max, std::int64_t& out) {
  const auto number = node.value_exact<std::int64_t>();
  if (!number) return invalid_field(path, "must be an integer");
  if (*number < min || *number > max) {
    return invalid_field(path,
                         "must be between " + std::to_string(min) + " and " + std::to_string(max));
  }
  out = *number;
  return {};
}

Result<void> read_text(const toml::node& node, const std::string& path, std::string& out) {
  const auto text = node.value_exact<std::string>();
  if (!text || text->empty() || text->size() > limits::name_bytes || !is_plain_text(*text)) {
    return invalid_field(path, "must be a string of 1 to " + std::to_string(limits::name_bytes) +
                                   " plain characters");
  }
  out = *text;
  return {};
}

Result<void> read_words(const toml::node& node, const std::string& path, std::string_view choices,
                        std::vector<std::string>& out) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return invalid_field(path, "must be a list of strings");
  const std::string all = "|" + std::string(choices) + "|";
  for (const toml::node& element : *list) {
    const auto word = element.value_exact<std::string>();
    if (!word || word->empty() || word->find('|') != std::string::npos ||
        all.find("|" + *word + "|") == std::string::npos) {
      return invalid_field(path, "may hold " + std::string(choices) + " only");
    }
    out.push_back(*word);
  }
  return {};
}

Result<void> read_setting(Settings& settings, std::string_view section, std::string_view name,
                          const toml::node& node) {
  const std::string path = std::string(section) + "." + std::string(name);
#define SETTING_INT(in_section, in_name, fallback, min, max, text) \
  if (section == #in_section && name == #in_name)                  \
    return read_int(node, path, min, max, settings.in_section##_##in_name);
#define SETTING_TEXT(in_section, in_name, fallback, text) \
  if (section == #in_section && name == #in_name)         \
    return read_text(node, path, settings.in_section##_##in_name);
#define SETTING_WORDS(in_section, in_name, choices, text) \
  if (section == #in_section && name == #in_name)         \
    return read_words(node, path, choices, settings.in_section##_##in_name);
#include "agent/settings.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_WORDS
  return invalid_field(path, "is not a known configuration key");
}

}  // namespace

bool Settings::allows(std::string_view task_type) const {
  return std::find(policy_allow.begin(), policy_allow.end(), task_type) != policy_allow.end();
}

Result<Settings> parse_settings(std::string_view text) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& failure) {
    std::ostringstream what;
    what << failure.description() << " (line " << failure.source().begin.line << ")";
    return Error{Errc::invalid_field, what.str()};
  }
  Settings settings;
  for (const auto& [section, content] : root) {
    const toml::table* members = content.as_table();
    if (members == nullptr) {
      return invalid_field(std::string(section.str()), "is not a known configuration key");
    }
    for (const auto& [name, node] : *members) {
      TRY(read_setting(settings, section.str(), name.str(), node));
    }
  }
  return settings;
}

}  // namespace muster::agent
