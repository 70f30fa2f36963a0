// SPDX-License-Identifier: Apache-2.0
#include "agent/pushed_config.h"

#include <algorithm>

#include "agent/bounds.h"
#include "base/json_write.h"
#include "base/toml_read.h"
#include "crypto/sha256.h"

namespace muster::agent {

namespace {

Error refuse(std::string_view name, std::string why) {
  return invalid_field(std::string(name), std::move(why));
}

Result<void> take_integer(std::string_view name, const Json& value, std::int64_t min,
                          std::int64_t max, std::int64_t& out) {
  const auto number = value.integer();
  if (!number || *number < min || *number > max) {
    return refuse(
        name, "must be an integer between " + std::to_string(min) + " and " + std::to_string(max));
  }
  out = *number;
  return {};
}

Result<void> take_choice(std::string_view name, const Json& value, std::string_view choices,
                         std::string& out) {
  const auto word = value.string();
  if (!word || !is_choice(choices, *word)) {
    return refuse(name, "must be one of " + std::string(choices));
  }
  out = *word;
  return {};
}

/// "a,b": words that the list does not have yet come behind those that it has.
Result<void> take_more(std::string_view name, const Json& value, std::string_view choices,
                       std::vector<std::string>& out) {
  std::string_view rest = value.string().value_or("");
  if (rest.empty()) return refuse(name, "must be text");
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (!is_choice(choices, word)) return refuse(name, "may hold " + std::string(choices));
    if (std::find(out.begin(), out.end(), word) == out.end()) out.emplace_back(word);
  }
  return {};
}

Result<void> take(const Settings& own, Settings& settings, std::string_view name,
                  const Json& value) {
#define PUSHED_INT(known, section, setting, min, max)                          \
  if (name == #known) {                                                        \
    std::int64_t given = 0;                                                    \
    TRY(take_integer(name, value, min, max, given));                           \
    if (!own.has(#section "." #setting)) settings.section##_##setting = given; \
    return {};                                                                 \
  }
#define PUSHED_CHOICE(known, section, setting, choices)                        \
  if (name == #known) {                                                        \
    std::string given;                                                         \
    TRY(take_choice(name, value, choices, given));                             \
    if (!own.has(#section "." #setting)) settings.section##_##setting = given; \
    return {};                                                                 \
  }
#define PUSHED_MORE(known, section, setting, choices) \
  if (name == #known) return take_more(name, value, choices, settings.section##_##setting);
#include "agent/pushed.def"
#undef PUSHED_INT
#undef PUSHED_CHOICE
#undef PUSHED_MORE
  return refuse(name, "is nothing that a server may set on this host");
}

std::string words(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& word : list) out += (out.empty() ? "" : ",") + word;
  return out;
}

}  // namespace

Result<PushedConfig> read_config(const Json& data) {
  if (!data.is_object()) return refuse("config", "is missing");
  const auto hash = data.find("config_hash");
  const auto document = data.find("config_document");
  PushedConfig config;
  config.hash = hash ? hash->string().value_or("") : "";
  config.document = document ? document->string().value_or("") : "";
  if (config.document.empty() || config.document.size() > bounds::config_bytes) {
    return refuse("config_document", "is missing or too long");
  }
  if (crypto::sha256(config.document).text() != config.hash) {
    return refuse("config_hash", "is not the hash of the document");
  }
  return config;
}

std::string encode_config(const PushedConfig& config) {
  JsonWriter json;
  json.begin_object()
      .member("config_hash", config.hash)
      .member("config_document", config.document)
      .end_object();
  return json.take() + "\n";
}

std::optional<PushedConfig> decode_config(std::string_view text) {
  JsonDocument document;
  const auto root = document.parse(text);
  if (!root.ok()) return std::nullopt;
  auto config = read_config(*root);
  return config.ok() ? std::optional(std::move(config).value()) : std::nullopt;
}

Result<Settings> lay_over(const Settings& own, std::string_view text) {
  JsonDocument document;
  const auto root = document.parse(text);
  if (!root.ok() || !root->is_object()) return refuse("config_document", "is no JSON object");
  Settings settings = own;
  Result<void> verdict;
  root->for_each_member([&](std::string_view name, const Json& value) {
    if (verdict.ok()) verdict = take(own, settings, name, value);
  });
  TRY(std::move(verdict));
  return settings;
}

std::vector<Origin> origins(const Settings& own, std::string_view text) {
  JsonDocument document;
  const auto root = document.parse(text);
  const auto pushed = [&](std::string_view name) {
    return root.ok() && root->find(name).has_value();
  };
  const auto laid = lay_over(own, text);
  const Settings& settings = laid.ok() ? *laid : own;
  std::vector<Origin> list;
  const auto add = [&](std::string name, std::string value, bool by_server, bool added) {
    const bool by_file = own.has(name);
    const std::string_view from = by_file && by_server && added ? "file and server"
                                  : by_file                     ? "file"
                                  : by_server                   ? "server"
                                                                : "default";
    list.push_back({std::move(name), std::move(value), from});
  };
#define PUSHED_INT(known, section, setting, min, max) \
  add(#section "." #setting, std::to_string(settings.section##_##setting), pushed(#known), false);
#define PUSHED_CHOICE(known, section, setting, choices) \
  add(#section "." #setting, settings.section##_##setting, pushed(#known), false);
#define PUSHED_MORE(known, section, setting, choices) \
  add(#section "." #setting, words(settings.section##_##setting), pushed(#known), true);
#include "agent/pushed.def"
#undef PUSHED_INT
#undef PUSHED_CHOICE
#undef PUSHED_MORE
  return list;
}

}  // namespace muster::agent
