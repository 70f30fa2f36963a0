// SPDX-License-Identifier: Apache-2.0
// Lock files of lines: pip's, Go's, Bundler's and Yarn's.
#include <set>

#include "base/text.h"
#include "feeds/lockfiles/readers.h"

namespace muster::feeds::lockfiles {

namespace {

std::size_t indent_of(std::string_view line) {
  const std::size_t at = line.find_first_not_of(' ');
  return at == std::string_view::npos ? line.size() : at;
}

std::string_view unquoted(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

/// The part of `text` before the first of `ends`.
std::string_view before(std::string_view text, std::string_view ends) {
  return text.substr(0, text.find_first_of(ends));
}

/// "name[extra] == 1.2.3 ; python_version < '3' --hash=…": the name and the version, if it is
/// pinned to one (PEP 508, PEP 440).
void take_requirement(std::string_view line, Pins& pins) {
  line = before(line, ";");
  if (const std::size_t options = line.find(" --"); options != std::string_view::npos) {
    line = line.substr(0, options);
  }
  const std::size_t equals = line.find("==");
  const std::string_view name = trim(before(line.substr(0, equals), "["));
  const bool only_pinned = equals != std::string_view::npos &&
                           line.substr(0, equals).find_first_of("<>~!@,") == std::string_view::npos;
  if (!only_pinned) return pins.skip();
  std::string_view version = line.substr(equals + 2);
  if (version.starts_with('=')) version.remove_prefix(1);
  version = trim(version);
  if (version.find_first_of(",* ") != std::string_view::npos) return pins.skip();
  pins.add(name, version, true);
}

}  // namespace

// https://pip.pypa.io/en/stable/reference/requirements-file-format/
Result<void> read_requirements(std::string_view content, Pins& pins) {
  std::string joined;  // a line that ends with a backslash goes on in the next
  while (!content.empty()) {
    std::string_view line = take_line(content);
    if (line.ends_with('\\')) {
      line.remove_suffix(1);
      joined += line;
      joined += ' ';
      continue;
    }
    joined += line;
    std::string_view whole = trim(joined);
    const std::size_t comment = whole.starts_with('#') ? 0 : whole.find(" #");
    whole = trim(whole.substr(0, comment));
    // Options: other files, indexes. Files that they name are scanned for themselves.
    if (!whole.empty() && !whole.starts_with('-')) take_requirement(whole, pins);
    joined.clear();
  }
  return {};
}

// https://go.dev/ref/mod#go-mod-file
Result<void> read_go_mod(std::string_view content, Pins& pins) {
  bool in_block = false;
  while (!content.empty()) {
    std::string_view line = take_line(content);
    const std::size_t comment = line.find("//");
    const bool indirect =
        comment != std::string_view::npos && trim(line.substr(comment + 2)).starts_with("indirect");
    line = trim(line.substr(0, comment));
    if (in_block && line == ")") {
      in_block = false;
      continue;
    }
    if (line.starts_with("require ") || line.starts_with("require(")) {
      line = trim(line.substr(7));
      if (line == "(") {
        in_block = true;
        continue;
      }
    } else if (!in_block) {
      continue;
    }
    const std::size_t space = line.find_first_of(" \t");
    if (space == std::string_view::npos) continue;
    pins.add(unquoted(line.substr(0, space)), line.substr(space), !indirect);
  }
  return {};
}

// https://go.dev/ref/mod#go-sum-files
Result<void> read_go_sum(std::string_view content, Pins& pins) {
  while (!content.empty()) {
    const std::string_view line = take_line(content);
    const std::size_t first = line.find(' ');
    if (first == std::string_view::npos) continue;
    const std::string_view version = before(line.substr(first + 1), " ");
    // Only the go.mod of such a version was looked at.
    if (version.ends_with("/go.mod")) continue;
    pins.add(line.substr(0, first), version, false);
  }
  return {};
}

// https://bundler.io/guides/rationale.html: sections, and in their `specs` one gem a line, indented
// by four, with its own dependencies below, indented by six.
Result<void> read_gemfile_lock(std::string_view content, Pins& pins) {
  std::set<std::string_view> wanted;
  bool in_dependencies = false;
  for (std::string_view rest = content; !rest.empty();) {
    const std::string_view line = take_line(rest);
    if (indent_of(line) == 0) in_dependencies = line == "DEPENDENCIES";
    if (in_dependencies && indent_of(line) == 2) wanted.insert(before(trim(line), " !("));
  }
  bool in_gems = false;
  while (!content.empty()) {
    const std::string_view line = take_line(content);
    // PATH is the project's own, GIT what no registry knows.
    if (indent_of(line) == 0) in_gems = line == "GEM";
    if (!in_gems || indent_of(line) != 4) continue;
    const std::string_view gem = trim(line);
    const std::size_t bracket = gem.find(" (");
    if (bracket == std::string_view::npos || !gem.ends_with(')')) {
      pins.skip();
      continue;
    }
    const std::string_view name = gem.substr(0, bracket);
    // "1.15.4-x86_64-linux": built for a platform. No version of a gem has a hyphen.
    const std::string_view version = before(gem.substr(bracket + 2), "-)");
    pins.add(name, version, wanted.contains(name));
  }
  return {};
}

namespace {

/// "@scope/name@^1.0" and "name@npm:^1.0": the name; "alias@npm:name@^1.0": the name behind it.
std::string_view name_of_descriptor(std::string_view descriptor) {
  if (const std::size_t npm = descriptor.find("@npm:"); npm != std::string_view::npos) {
    const std::string_view target = descriptor.substr(npm + 5);
    const std::size_t at = target.find('@', 1);
    if (at != std::string_view::npos) return target.substr(0, at);
    return descriptor.substr(0, npm);
  }
  return descriptor.substr(0, descriptor.find('@', 1));
}

/// One entry of a yarn.lock: its first descriptor, and the members that are wanted.
struct YarnEntry {
  std::string_view descriptor;
  std::string_view version;
  std::string_view resolution;

  void finish(Pins& pins) {
    const bool own = resolution.find("@workspace:") != std::string_view::npos ||
                     descriptor.find("@workspace:") != std::string_view::npos;
    if (!descriptor.empty() && descriptor != "__metadata" && !own) {
      pins.add(name_of_descriptor(resolution.empty() ? descriptor : resolution), version, false);
    }
    *this = {};
  }
};

}  // namespace

// https://classic.yarnpkg.com/lang/en/docs/yarn-lock/ and, since version 2, YAML of the same
// outline: an entry begins at the margin with its descriptors and a colon, its members are indented
// by two.
Result<void> read_yarn_lock(std::string_view content, Pins& pins) {
  YarnEntry entry;
  while (!content.empty()) {
    const std::string_view line = take_line(content);
    if (trim(line).empty() || line.starts_with('#')) continue;
    if (indent_of(line) == 0) {
      entry.finish(pins);
      std::string_view head = trim(line);
      if (!head.ends_with(':')) return invalid_field("content", "is no yarn.lock");
      head.remove_suffix(1);
      entry.descriptor = unquoted(before(head, ","));
      // "a@1, a@2" in one pair of quotes: the first lost its last.
      if (entry.descriptor.starts_with('"')) entry.descriptor.remove_prefix(1);
      continue;
    }
    if (indent_of(line) != 2) continue;
    const std::string_view member = trim(line);
    const std::string_view key = before(member, " :");
    std::string_view value = member.substr(key.size());
    if (value.starts_with(':')) value.remove_prefix(1);
    if (key == "version") entry.version = unquoted(value);
    if (key == "resolution") entry.resolution = unquoted(value);
  }
  entry.finish(pins);
  return {};
}

}  // namespace muster::feeds::lockfiles
