// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace muster::vuln {

/// The source package of a binary package of Debian 7 to 12 whose name tells nothing about it
/// ("libc6" -> "glibc"), for reports that do not name it; debian_sources.def is the table. Empty
/// for packages of which the name is not enough (their version is not the source's); nothing for
/// names that are not in it.
std::optional<std::string_view> debian_source_of(std::string_view binary);

}  // namespace muster::vuln
