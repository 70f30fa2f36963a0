// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_write.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace muster::ctl {

/// An option or positional argument of a verb, and the member of a request that it becomes.
struct Flag {
  enum class Kind : std::uint8_t { text, texts, pairs, integer, seconds, on, file, files };

  // pairs: NAME=VALUE each, an object in the body.
  std::string name;    // "--ttl"; without dashes it is positional
  std::string member;  // "ttl_seconds": in the body, the query or the path
  std::string what;
  Kind kind = Kind::text;
  bool required = false;
  std::vector<std::string> choices = {};
  /// Says what is wrong with a value that cannot be meant, as a usage error.
  std::function<Result<void>(const std::string&)> check = {};
  std::string shown = {};  // in the help, for the value; TEXT, N… when empty
};

/// Checks of texts, for Flag::check.
Result<void> check_time(const std::string& text);  // as RFC 3339 writes it
Result<void> check_cve(const std::string& text);   // "CVE-2024-3094"

/// The values that a command line gave to some flags.
class FlagValues {
 public:
  explicit FlagValues(std::vector<Flag> flags);
  FlagValues(const FlagValues&) = delete;
  FlagValues& operator=(const FlagValues&) = delete;

  /// Declares the flags to `verb`, which fills this object when it parses.
  void bind(CLI::App& verb);

  bool has(std::string_view member) const;
  /// How the command line calls a member, "--ttl" for "ttl_seconds"; empty when no flag is for it.
  std::string_view name_of(std::string_view member) const;
  /// The text of a member; empty when it was not given.
  std::string text(std::string_view member) const;
  std::vector<std::string> texts(std::string_view member) const;
  std::optional<std::int64_t> integer(std::string_view member) const;

  /// `path` with every `{member}` replaced by that member's value, encoded.
  std::string expand(std::string_view path) const;
  /// Given members as a query, "kev=true&host=web-1", without those that `path` names.
  std::string query(std::string_view path) const;
  /// Given members as the members of a JSON object, without those that `path` names.
  void write_members(JsonWriter& json, std::string_view path) const;
  /// The pairs of a member as members of the JSON object that `json` is in.
  void write_pairs(JsonWriter& json, std::string_view member) const;

 private:
  struct Value {
    Flag flag;
    bool on = false;
    std::vector<std::string> given = {};
  };
  const Value& at(std::string_view member) const;

  std::deque<Value> values_;  // CLI11 keeps references to them
};

}  // namespace muster::ctl
