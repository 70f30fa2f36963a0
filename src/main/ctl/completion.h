// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace muster::ctl {

enum class ShellKind : std::uint8_t { bash, zsh };

/// The script that completes the command lines which `root` parses: nouns, verbs, flags and the
/// values that these choose from; other values are completed as files.
std::string completion_script(const CLI::App& root, ShellKind shell);

}  // namespace muster::ctl
