// SPDX-License-Identifier: Apache-2.0
#include "base/config.h"

#include <algorithm>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/toml_read.h"

namespace muster {

namespace {

Result<void> read_networks(const toml::node& node, const std::string& path,
                           std::vector<IpNetwork>& out) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return invalid_field(path, "must be a list of networks");
  for (const toml::node& item : *list) {
    const auto text = item.value_exact<std::string>();
    if (!text) return invalid_field(path, "must be a list of strings");
    const Result<IpNetwork> network = parse_ip_network(*text);
    if (!network.ok()) return invalid_field(path, network.error().message);
    out.push_back(*network);
  }
  return {};
}

Result<void> read_string(const toml::node& node, const std::string& path, std::string& out) {
  const auto text = node.value_exact<std::string>();
  if (!text) return invalid_field(path, "must be a string");
  out = *text;
  return {};
}

Result<void> read_strings(const toml::node& node, const std::string& path,
                          std::vector<std::string>& out) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return invalid_field(path, "must be a list of strings");
  out.clear();
  for (const toml::node& item : *list) {
    const auto text = item.value_exact<std::string>();
    if (!text || text->empty()) return invalid_field(path, "must be a list of strings");
    out.push_back(*text);
  }
  return {};
}

/// "10.0.0.0/8, ::1/128"
std::string format_networks(const std::vector<IpNetwork>& networks) {
  std::string out;
  for (const IpNetwork& network : networks) {
    out.append(out.empty() ? "" : ", ").append(format_ip_network(network));
  }
  return out;
}

/// Any text may be an address, so all are looked at. What stands before the last "@" goes whole: a
/// password may have an "@", a slash or a question mark in it, and a name may be a token. Without a
/// scheme (a proxy's may be left out) that takes a colon before it.
std::string masked(std::string_view text) {
  const auto scheme = text.find("://");
  const bool has_scheme = scheme != std::string_view::npos;
  std::string_view rest = text.substr(has_scheme ? scheme + 3 : 0);
  std::string out(text.substr(0, text.size() - rest.size()));
  const auto at = rest.rfind('@');
  if (at != std::string_view::npos && (has_scheme || rest.find(':') < at)) {
    out.append("***");
    rest.remove_prefix(at);
  }
  const auto query = has_scheme ? rest.find('?') : std::string_view::npos;
  out.append(rest.substr(0, query));
  if (query != std::string_view::npos) out.append("?***");
  return out;
}

/// "a, b"
std::string listed(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ", ").append(masked(text));
  return out;
}

Result<void> read_setting(Config& config, std::string_view section, std::string_view name,
                          const std::string& path, const toml::node& node) {
#define SETTING_INT(in_section, in_name, fallback, min, max, text) \
  if (section == #in_section && name == #in_name)                  \
    return read_toml_int(node, path, min, max, config.in_section##_##in_name);
#define SETTING_TEXT(in_section, in_name, fallback, choices, text) \
  if (section == #in_section && name == #in_name)                  \
    return read_toml_choice(node, path, choices, config.in_section##_##in_name);
#define SETTING_FLAG(in_section, in_name, fallback, text) \
  if (section == #in_section && name == #in_name)         \
    return read_toml_flag(node, path, config.in_section##_##in_name);
#define SETTING_NETWORKS(in_section, in_name, text) \
  if (section == #in_section && name == #in_name)   \
    return read_networks(node, path, config.in_section##_##in_name);
#define SETTING_STRING(in_section, in_name, fallback, text) \
  if (section == #in_section && name == #in_name)           \
    return read_string(node, path, config.in_section##_##in_name);
#define SETTING_STRINGS(in_section, in_name, fallback, text) \
  if (section == #in_section && name == #in_name)            \
    return read_strings(node, path, config.in_section##_##in_name);
#include "base/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_FLAG
#undef SETTING_NETWORKS
#undef SETTING_STRING
#undef SETTING_STRINGS
  return unknown_setting(path);
}

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

Result<Config> parse_config(std::string_view text) {
  Config config;
  TRY(read_toml(text, [&](std::string_view section, std::string_view name, const std::string& path,
                          const toml::node& node) {
    return read_setting(config, section, name, path, node);
  }));
  if (config.net_proxy_protocol && config.net_trusted_proxies.empty()) {
    return invalid_field("net.proxy_protocol", "needs net.trusted_proxies");
  }
  return config;
}

Result<Config> read_config(const std::string& path) {
  auto config = parse_config(TRY(read_file(path, limits::config_file_bytes)));
  if (config.ok()) return config;
  Error error = std::move(config).error();
  error.message = path + ": " + error.message;
  return error;
}

std::string explain_config_json(const Config& config, std::span<const StartFlag> flags) {
  const Config defaults;
  JsonWriter json;
  json.begin_array();
  const auto row = [&](std::string_view key, const auto& value, const auto& fallback,
                       std::string_view meaning) {
    json.begin_object()
        .member("key", key)
        .member("value", value)
        .member("default", fallback)
        .member("changed", value != fallback)
        .member("meaning", meaning)
        .end_object();
  };
#define SETTING_INT(section, name, fallback, min, max, text) \
  row(#section "." #name, config.section##_##name, defaults.section##_##name, text);
#define SETTING_TEXT(section, name, fallback, choices, text) \
  row(#section "." #name, config.section##_##name, defaults.section##_##name, text);
#define SETTING_FLAG(section, name, fallback, text) \
  row(#section "." #name, config.section##_##name, defaults.section##_##name, text);
#define SETTING_NETWORKS(section, name, text)                       \
  row(#section "." #name, format_networks(config.section##_##name), \
      format_networks(defaults.section##_##name), text);
#define SETTING_STRING(section, name, fallback, text) \
  row(#section "." #name, masked(config.section##_##name), masked(defaults.section##_##name), text);
#define SETTING_STRINGS(section, name, fallback, text) \
  row(#section "." #name, listed(config.section##_##name), listed(defaults.section##_##name), text);
#include "base/config.def"
#undef SETTING_INT
#undef SETTING_TEXT
#undef SETTING_FLAG
#undef SETTING_NETWORKS
#undef SETTING_STRING
#undef SETTING_STRINGS
  std::string kept;
  for (const StartFlag& flag : flags) {
    row(flag.name, masked(well_formed(flag.value, kept)), flag.fallback, flag.meaning);
  }
  json.end_array();
  return json.take();
}

}  // namespace muster
