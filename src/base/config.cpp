// SPDX-License-Identifier: Apache-2.0
#include "base/config.h"

#include <sstream>

#include <toml++/toml.h>

namespace muster {

namespace {

std::string_view key_text(const toml::key& key) {
  return key.str();
}

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

Result<void> read_text(const toml::node& node, const std::string& path, std::string_view choices,
                       std::string& out) {
  const auto text = node.value_exact<std::string>();
  if (!text) return invalid_field(path, "must be a string");
  const std::string all = "|" + std::string(choices) + "|";
  const bool one_word = !text->empty() && text->find('|') == std::string::npos;
  if (!one_word || all.find("|" + *text + "|") == std::string::npos) {
    return invalid_field(path, "must be one of " + std::string(choices));
  }
  out = *text;
  return {};
}

Result<void> read_setting(Config& config, std::string_view section, std::string_view name,
                          const toml::node& node) {
  const std::string path = std::string(section) + "." + std::string(name);
#define SETTING_INT(in_section, in_name, fallback, min, max, text) \
  if (section == #in_section && name == #in_name)                  \
    return read_int(node, path, min, max, config.in_section##_##in_name);
#define SETTING_TEXT(in_section, in_name, fallback, choices, text) \
  if (section == #in_section && name == #in_name)                  \
    return read_text(node, path, choices, config.in_section##_##in_name);
#include "base/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
  return invalid_field(path, "is not a known configuration key");
}

}  // namespace

Result<Config> parse_config(std::string_view text) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& failure) {
    std::ostringstream what;
    what << failure.description() << " (line " << failure.source().begin.line << ")";
    return Error{Errc::invalid_field, what.str()};
  }
  Config config;
  for (const auto& [section, content] : root) {
    const toml::table* members = content.as_table();
    if (members == nullptr) {
      return invalid_field(std::string(key_text(section)), "is not a known configuration key");
    }
    for (const auto& [name, node] : *members) {
      TRY(read_setting(config, key_text(section), key_text(name), node));
    }
  }
  return config;
}

std::string explain_config_json(const Config& config) {
  const Config defaults;
  JsonWriter json;
  json.begin_array();
  const auto row = [&](std::string_view key, const auto& value, const auto& fallback,
                       std::string_view meaning) {
    json.begin_object()
        .member("key", key)
        .member("value", value)
        .member("default", fallback)
        .member("meaning", meaning)
        .end_object();
  };
#define SETTING_INT(section, name, fallback, min, max, text) \
  row(#section "." #name, config.section##_##name, defaults.section##_##name, text);
#define SETTING_TEXT(section, name, fallback, choices, text) \
  row(#section "." #name, config.section##_##name, defaults.section##_##name, text);
#include "base/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
  json.end_array();
  return json.take();
}

}  // namespace muster
