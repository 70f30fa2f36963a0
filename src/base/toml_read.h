// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <toml++/toml.h>

#include "base/result.h"

/// What the server's and the agent's configuration files have in common: TOML, sections of
/// settings, and nothing that is not known.
namespace muster {

/// Takes one setting; `path` is "section.name". Fails with invalid_field for one it does not know.
using TakeSetting = std::function<Result<void>(std::string_view section, std::string_view name,
                                               const std::string& path, const toml::node& node)>;

/// Reads a file of sections and hands every setting to `take`. Fails with invalid_field for what is
/// no TOML (with the line), for a setting outside a section, and with the first failure of `take`.
Result<void> read_toml(std::string_view text, const TakeSetting& take);

Error unknown_setting(const std::string& path);

/// Fails with invalid_field for another type and for values out of bounds.
Result<void> read_toml_int(const toml::node& node, const std::string& path, std::int64_t min,
                           std::int64_t max, std::int64_t& out);

/// Fails with invalid_field for another type.
Result<void> read_toml_flag(const toml::node& node, const std::string& path, bool& out);

/// Fails with invalid_field for what is no string or not one of `choices`, separated by '|'.
Result<void> read_toml_choice(const toml::node& node, const std::string& path,
                              std::string_view choices, std::string& out);

/// Whether `word` is one of `choices`, which are separated by '|'.
bool is_choice(std::string_view choices, std::string_view word);

}  // namespace muster
