// SPDX-License-Identifier: Apache-2.0
#include "model/task_environment.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"

namespace muster::model {

namespace {

/// Of the dynamic loaders of Linux and macOS.
constexpr std::string_view reserved_prefixes[] = {"LD_", "DYLD_"};

constexpr std::string_view reserved_names[] = {
    // The agent's own.
    "PATH", "HOME", "TMPDIR", "F0_BUNDLE_DIR",
    // The C library's.
    "GCONV_PATH", "GLIBC_TUNABLES",
    // Of shells: what they read or run before the command, and how they read it.
    "BASH_ENV", "ENV", "IFS", "SHELLOPTS", "BASHOPTS", "PS4",
    // Of interpreters: code that they load before the program's own.
    "PERL5LIB", "PERL5OPT", "PYTHONHOME", "PYTHONPATH", "RUBYLIB", "RUBYOPT", "NODE_OPTIONS"};

}  // namespace

bool is_variable_name(std::string_view name) {
  const auto allowed = [](char c) { return c == '_' || is_alnum(c); };
  return !name.empty() && name.size() <= limits::env_var_name_bytes && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), allowed);
}

bool is_reserved_variable(std::string_view name) {
  const auto is_prefix = [&](std::string_view prefix) {
    return equal_folded(name.substr(0, prefix.size()), prefix);
  };
  const auto is_name = [&](std::string_view reserved) { return equal_folded(name, reserved); };
  return std::any_of(std::begin(reserved_prefixes), std::end(reserved_prefixes), is_prefix) ||
         std::any_of(std::begin(reserved_names), std::end(reserved_names), is_name);
}

}  // namespace muster::model
