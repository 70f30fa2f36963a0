// SPDX-License-Identifier: Apache-2.0
#include "base/toml_read.h"

#include <sstream>

namespace muster {

Error unknown_setting(const std::string& path) {
  return invalid_field(path, "is not a known configuration key");
}

Result<void> read_toml(std::string_view text, const TakeSetting& take) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& failure) {
    std::ostringstream what;
    what << failure.description() << " (line " << failure.source().begin.line << ")";
    return Error{Errc::invalid_field, what.str()};
  }
  for (const auto& [section, content] : root) {
    const std::string section_name(section.str());
    const toml::table* settings = content.as_table();
    if (settings == nullptr) return unknown_setting(section_name);
    for (const auto& [name, node] : *settings) {
      TRY(take(section_name, name.str(), section_name + "." + std::string(name.str()), node));
    }
  }
  return {};
}

Result<void> read_toml_int(const toml::node& node, const std::string& path, std::int64_t min,
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

Result<void> read_toml_flag(const toml::node& node, const std::string& path, bool& out) {
  const auto flag = node.value_exact<bool>();
  if (!flag) return invalid_field(path, "must be true or false");
  out = *flag;
  return {};
}

Result<void> read_toml_choice(const toml::node& node, const std::string& path,
                              std::string_view choices, std::string& out) {
  const auto word = node.value_exact<std::string>();
  if (!word || !is_choice(choices, *word)) {
    return invalid_field(path, "must be one of " + std::string(choices));
  }
  out = *word;
  return {};
}

bool is_choice(std::string_view choices, std::string_view word) {
  const std::string all = "|" + std::string(choices) + "|";
  return !word.empty() && word.find('|') == std::string_view::npos &&
         all.find("|" + std::string(word) + "|") != std::string::npos;
}

}  // namespace muster
