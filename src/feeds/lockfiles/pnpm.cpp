// SPDX-License-Identifier: Apache-2.0
// pnpm's lock file, in all versions: https://github.com/pnpm/spec/blob/master/lockfile/9.0.md
#include <algorithm>
#include <set>
#include <vector>

#include <yaml.h>

#include "base/text.h"
#include "feeds/lockfiles/readers.h"

namespace muster::feeds::lockfiles {

namespace {

/// Deeper than any that pnpm writes.
constexpr std::size_t depth_max = 16;

/// Frees what libyaml gave, whichever way its holder leaves.
struct Event {
  yaml_event_t event{};
  ~Event() { yaml_event_delete(&event); }
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
};

struct Parser {
  yaml_parser_t parser{};
  explicit Parser(std::string_view text) {
    if (yaml_parser_initialize(&parser) == 0) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Parser() { yaml_parser_delete(&parser); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
};

/// A mapping or sequence that is being read.
struct Level {
  bool mapping = false;
  bool key_read = false;
  std::string key;
};

/// What a file has in its places, by the path of keys that leads there.
class Walk {
 public:
  explicit Walk(Pins& pins) : pins_(pins) {}

  Result<void> run(std::string_view content) {
    Parser parser(content);
    for (;;) {
      Event event;
      if (yaml_parser_parse(&parser.parser, &event.event) == 0) {
        return invalid_field(
            "content",
            "is no YAML (line " + std::to_string(parser.parser.problem_mark.line + 1) + ")");
      }
      if (event.event.type == YAML_STREAM_END_EVENT) break;
      TRY(take(event.event));
    }
    for (const std::string& package : packages_) add(package);
    return {};
  }

 private:
  Result<void> take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_ALIAS_EVENT:
        return invalid_field("content", "has an alias, as pnpm writes none");
      case YAML_MAPPING_START_EVENT:
      case YAML_SEQUENCE_START_EVENT:
        if (levels_.size() == depth_max) return invalid_field("content", "is nested too deeply");
        levels_.push_back({event.type == YAML_MAPPING_START_EVENT, false, {}});
        return {};
      case YAML_MAPPING_END_EVENT:
      case YAML_SEQUENCE_END_EVENT:
        levels_.pop_back();
        value_read();
        return {};
      case YAML_SCALAR_EVENT:
        take_scalar(
            {reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length});
        return {};
      default:
        return {};
    }
  }

  void value_read() {
    if (!levels_.empty()) levels_.back().key_read = false;
  }

  void take_scalar(std::string_view text) {
    if (levels_.empty()) return;
    Level& level = levels_.back();
    if (level.mapping && !level.key_read) {
      level.key_read = true;
      level.key = text;
      if (levels_.size() == 2 && levels_[0].key == "packages") packages_.emplace_back(text);
      return;
    }
    take_value(text);
    value_read();
  }

  static bool lists_dependencies(std::string_view key) {
    return key == "dependencies" || key == "devDependencies" || key == "optionalDependencies";
  }

  /// Which version the project asks for: `dependencies: {name: 1.0.0}` up to version 5, with
  /// {specifier, version} from 6 on, and below `importers: {path: …}` in a workspace.
  void take_value(std::string_view text) {
    const std::size_t base = levels_[0].key == "importers" ? 2 : 0;
    if (levels_.size() < base + 2 || !lists_dependencies(levels_[base].key)) return;
    const bool plain = levels_.size() == base + 2;
    const bool detailed = levels_.size() == base + 3 && levels_[base + 2].key == "version";
    if (plain || detailed) wanted_.insert(levels_[base + 1].key + "@" + version_of(text));
  }

  /// Without the peers that it was resolved with: "1.2.3(react@18.0.0)", "1.2.3_react@18.0.0".
  static std::string version_of(std::string_view text) {
    return std::string(text.substr(0, text.find_first_of("(_")));
  }

  /// "/name/1.2.3" up to version 5, "/name@1.2.3" in 6, "name@1.2.3" from 9 on.
  void add(std::string_view id) {
    if (id.starts_with('/')) id.remove_prefix(1);
    // The peers in brackets have at signs of their own, and a scope has a slash.
    id = id.substr(0, id.find('('));
    const std::size_t scope_end = id.starts_with('@') ? id.find('/') : 0;
    if (scope_end == std::string_view::npos) return pins_.skip();
    const std::size_t end = id.find_first_of("@/", scope_end + 1);
    if (end == std::string_view::npos) return pins_.skip();
    const std::string_view name = id.substr(0, end);
    const std::string version = version_of(id.substr(end + 1));
    // An address, a folder or a file instead of a version.
    if (version.find_first_of(":/") != std::string::npos) return pins_.skip();
    pins_.add(name, version, wanted_.contains(std::string(name) + "@" + version));
  }

  Pins& pins_;
  std::vector<Level> levels_;
  std::vector<std::string> packages_;
  std::set<std::string> wanted_;
};

}  // namespace

Result<void> read_pnpm_lock(std::string_view content, Pins& pins) {
  return Walk(pins).run(content);
}

}  // namespace muster::feeds::lockfiles
