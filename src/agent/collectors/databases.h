// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "agent/collectors/found.h"

namespace muster::agent {

/// The text databases of distributions' package tools. Each reads one whole file, skips and counts
/// bad entries, and never fails. `distro` is "alpine:3.21".

/// /lib/apk/db/installed (apk-tools 2: one letter, a colon and a value a line, entries separated by
/// empty lines): P name, V version, A architecture, o origin, the source package.
void parse_apk(std::string_view text, std::string_view distro, Found& found);

/// /var/lib/pacman/local/*/desc (pacman: %NAME% and the like, each followed by its values): %NAME%,
/// %VERSION%, %ARCH% and %BASE%, the source package.
void parse_pacman(std::string_view text, std::string_view distro, Found& found);

/// One header of an rpm database (rpm's header format, "Region" entries included: an index of tags,
/// then their store; without the 8 octets of magic that files have). Public keys, which rpm keeps
/// as packages, are left out.
void parse_rpm_header(std::string_view header, std::string_view distro, Found& found);

}  // namespace muster::agent
