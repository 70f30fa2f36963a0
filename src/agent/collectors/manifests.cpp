// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/manifests.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "agent/collectors/texts.h"
#include "base/json_read.h"
#include "base/text.h"

namespace muster::agent {

using model::Ecosystem;

namespace {

/// Calls `take` with the root object; counts what is none.
template <typename F>
void with_object(std::string_view text, Found& found, F&& take) {
  JsonDocument document;
  const auto root = document.parse(text);
  if (root.ok() && root->is_object()) {
    take(*root);
  } else {
    ++found.malformed;
  }
}

/// The value of `s.name = "rack".freeze`, if that is what the line says.
std::optional<std::string_view> assigned(std::string_view line, std::string_view member) {
  line = trim(line);
  if (!line.starts_with(member)) return std::nullopt;
  line = trim(line.substr(member.size()));
  if (!line.starts_with("=")) return std::nullopt;
  const std::size_t open = line.find('"');
  if (open == std::string_view::npos) return std::nullopt;
  const std::size_t close = line.find('"', open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  return line.substr(open + 1, close - open - 1);
}

/// A plain or quoted scalar of YAML, without its comment.
std::string_view scalar(std::string_view value) {
  value = trim(value);
  if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
    const std::size_t close = value.find(value.front(), 1);
    return close == std::string_view::npos ? std::string_view() : value.substr(1, close - 1);
  }
  return trim(value.substr(0, value.find(" #")));
}

/// Part `from_end` of a path: 0 is the file's own name.
std::string_view part_of(std::string_view path, int from_end) {
  for (; from_end > 0; --from_end) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return {};
    path = path.substr(0, slash);
  }
  return path.substr(path.rfind('/') + 1);
}

/// An element of XML: what its first tag says, and all that follows that tag.
struct Element {
  std::string_view attributes;
  std::string_view rest;
};

/// The first of that very name.
std::optional<Element> first_element(std::string_view text, std::string_view name) {
  const std::string open = "<" + std::string(name);
  for (std::size_t at = text.find(open); at != std::string_view::npos;
       at = text.find(open, at + 1)) {
    const std::string_view after = text.substr(at + open.size());
    if (after.empty() ||
        std::string_view(" \t\r\n/>").find(after.front()) == std::string_view::npos) {
      continue;  // "<releases>" is no "<release"
    }
    const std::size_t end = after.find('>');
    if (end == std::string_view::npos) return std::nullopt;
    return Element{after.substr(0, end), after.substr(end + 1)};
  }
  return std::nullopt;
}

/// Between `open` and `close`, the first time; empty if they are not there.
std::string_view between(std::string_view text, std::string_view open, std::string_view close) {
  const std::size_t from = text.find(open);
  if (from == std::string_view::npos) return {};
  text = text.substr(from + open.size());
  const std::size_t to = text.find(close);
  return to == std::string_view::npos ? std::string_view() : text.substr(0, to);
}

}  // namespace

void parse_python_metadata(std::string_view text, std::string_view, Found& found) {
  std::string_view name, version;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;  // the description follows, which may say anything
    if (line.starts_with("Name:")) name = line.substr(5);
    if (line.starts_with("Version:")) version = line.substr(8);
  }
  found.add(Ecosystem::pypi, model::canonical_package_name(Ecosystem::pypi, trim(name)), version);
}

void parse_npm_package(std::string_view text, std::string_view, Found& found) {
  with_object(text, found, [&](const Json& root) {
    const std::string_view name = text_of(root, "name");
    const std::string_view version = text_of(root, "version");
    // Folders inside packages have such files too, to say how they are loaded.
    if (name.empty() && version.empty()) return;
    found.add(Ecosystem::npm, name, version);
  });
}

void parse_gemspec(std::string_view text, std::string_view, Found& found) {
  std::string_view name, version;
  while (!text.empty() && (name.empty() || version.empty())) {
    const std::string_view line = take_line(text);
    if (const auto value = assigned(line, "s.name")) name = *value;
    if (const auto value = assigned(line, "s.version")) version = *value;
  }
  found.add(Ecosystem::gem, name, version);
}

void parse_cargo_installs(std::string_view text, std::string_view, Found& found) {
  with_object(text, found, [&](const Json& root) {
    const auto installs = root.find("installs");
    if (!installs) return;
    if (!installs->is_object()) {
      ++found.malformed;
      return;
    }
    installs->for_each_member([&](std::string_view key, const Json&) {
      const std::size_t space = key.find(' ');
      const std::size_t end = space == std::string_view::npos ? space : key.find(' ', space + 1);
      if (end == std::string_view::npos) {
        ++found.malformed;
        return;
      }
      found.add(Ecosystem::cargo, key.substr(0, space), key.substr(space + 1, end - space - 1));
    });
  });
}

void parse_snap(std::string_view text, std::string_view, Found& found) {
  std::string_view name, version;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with("name:")) name = scalar(line.substr(5));
    if (line.starts_with("version:")) version = scalar(line.substr(8));
  }
  found.add(Ecosystem::generic, name, version);
}

void parse_metainfo(std::string_view text, std::string_view, Found& found) {
  const auto id = first_element(text, "id");
  const auto release = first_element(text, "release");
  const std::string_view said = release ? release->attributes : std::string_view();
  std::string_view version = between(said, "version=\"", "\"");
  if (version.empty()) version = between(said, "version='", "'");
  const std::string_view name = id ? id->rest.substr(0, id->rest.find('<')) : std::string_view();
  found.add(Ecosystem::generic, trim(name), version);
}

void parse_editor_extension(std::string_view text, std::string_view, Found& found) {
  with_object(text, found, [&](const Json& root) {
    const std::string_view name = text_of(root, "name");
    const std::string_view publisher = text_of(root, "publisher");
    const std::string full = publisher.empty() || name.empty()
                                 ? std::string()
                                 : fold_case(publisher) + "." + fold_case(name);
    found.add(Ecosystem::other, full, text_of(root, "version"));
  });
}

void parse_chromium_extension(std::string_view text, std::string_view path, Found& found) {
  with_object(text, found, [&](const Json& root) {
    std::string_view name = text_of(root, "name");
    // Names in several languages stand elsewhere; the id names it to everybody.
    if (name.empty() || name.starts_with("__MSG_")) name = part_of(path, 2);
    found.add(Ecosystem::other, name, text_of(root, "version"));
  });
}

void parse_firefox_extensions(std::string_view text, std::string_view, Found& found) {
  with_object(text, found, [&](const Json& root) {
    const auto addons = root.find("addons");
    if (!addons) return;
    if (!addons->is_array()) {
      ++found.malformed;
      return;
    }
    addons->for_each([&](const Json& addon) {
      if (!text_of(addon, "location").starts_with("app-profile")) return;
      if (text_of(addon, "type") != "extension") return;
      const auto locale = addon.find("defaultLocale");
      std::string_view name = locale ? text_of(*locale, "name") : std::string_view();
      if (name.empty()) name = text_of(addon, "id");
      found.add(Ecosystem::other, name, text_of(addon, "version"));
    });
  });
}

}  // namespace muster::agent
