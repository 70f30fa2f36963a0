// SPDX-License-Identifier: Apache-2.0
// Lock files that are TOML: Poetry's, uv's and Cargo's.
#include <set>

#include <toml++/toml.h>

#include "feeds/lockfiles/readers.h"

namespace muster::feeds::lockfiles {

namespace {

std::string_view text_at(const toml::table& table, std::string_view name) {
  return table[name].value_or(std::string_view());
}

Result<toml::table> parse_table(std::string_view content) {
  try {
    return toml::parse(content);
  } catch (const toml::parse_error& failure) {
    return invalid_field("content", std::string(failure.description()) + " (line " +
                                        std::to_string(failure.source().begin.line) + ")");
  }
}

/// Calls `each` for every [[package]].
template <typename F>
void for_each_package(const toml::table& lock, F&& each) {
  const toml::array* packages = lock["package"].as_array();
  if (packages == nullptr) return;
  for (const toml::node& node : *packages) {
    if (const toml::table* package = node.as_table()) each(*package);
  }
}

/// The names in an array of texts ("serde", "serde 1.0.1") or of tables with a `name`.
void take_names(const toml::array* list, std::set<std::string>& names) {
  if (list == nullptr) return;
  for (const toml::node& node : *list) {
    if (const toml::table* table = node.as_table()) {
      names.emplace(text_at(*table, "name"));
    } else {
      const std::string_view text = node.value_or(std::string_view());
      names.emplace(text.substr(0, text.find(' ')));
    }
  }
}

/// The names in every array of a table.
void take_groups(const toml::table* groups, std::set<std::string>& names) {
  if (groups == nullptr) return;
  for (const auto& [group, list] : *groups) take_names(list.as_array(), names);
}

}  // namespace

// https://python-poetry.org/docs/basic-usage/#installing-with-poetrylock
Result<void> read_poetry_lock(std::string_view content, Pins& pins) {
  const toml::table lock = TRY(parse_table(content));
  for_each_package(lock, [&](const toml::table& package) {
    const std::string_view source = package["source"]["type"].value_or(std::string_view());
    if (source == "directory") return;
    pins.add(text_at(package, "name"), text_at(package, "version"), false);
  });
  return {};
}

// https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile
Result<void> read_uv_lock(std::string_view content, Pins& pins) {
  const toml::table lock = TRY(parse_table(content));
  // The project and the members of its workspace are packages too, from a folder.
  const auto is_own = [](const toml::table& package) {
    const auto source = package["source"];
    return source["virtual"] || source["editable"] || source["directory"];
  };
  std::set<std::string> wanted;
  for_each_package(lock, [&](const toml::table& package) {
    if (!is_own(package)) return;
    take_names(package["dependencies"].as_array(), wanted);
    take_groups(package["optional-dependencies"].as_table(), wanted);
    take_groups(package["dev-dependencies"].as_table(), wanted);
  });
  for_each_package(lock, [&](const toml::table& package) {
    if (is_own(package)) return;
    const std::string_view name = text_at(package, "name");
    pins.add(name, text_at(package, "version"), wanted.contains(std::string(name)));
  });
  return {};
}

// https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html
Result<void> read_cargo_lock(std::string_view content, Pins& pins) {
  const toml::table lock = TRY(parse_table(content));
  const auto is_own = [](const toml::table& package) { return !package["source"]; };
  std::set<std::string> wanted;
  for_each_package(lock, [&](const toml::table& package) {
    if (is_own(package)) take_names(package["dependencies"].as_array(), wanted);
  });
  for_each_package(lock, [&](const toml::table& package) {
    if (is_own(package)) return;
    const std::string_view name = text_at(package, "name");
    pins.add(name, text_at(package, "version"), wanted.contains(std::string(name)));
  });
  return {};
}

}  // namespace muster::feeds::lockfiles
