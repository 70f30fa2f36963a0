// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace muster::version {

/// A declared rule of version order; schemes.def is the list. A scheme comes from the package's
/// ecosystem and is never guessed from the text of a version (mission rule 13).
enum class Scheme : std::uint8_t {
#define SCHEME(name) name,
#include "version/schemes.def"
#undef SCHEME
};

/// "deb", ...
std::string_view scheme_name(Scheme scheme);
/// Reads a scheme's name in any case; nothing for names that have no rule here.
std::optional<Scheme> parse_scheme(std::string_view text);

/// Whether `text` is a version under `scheme`. Fails with invalid_field naming what is wrong.
Result<void> validate(Scheme scheme, std::string_view text);

/// The order of two versions; `equivalent` also for different spellings of one version (1.0 and
/// 1.00 in deb). Fails with invalid_field naming the first text that is no version.
Result<std::weak_ordering> compare(Scheme scheme, std::string_view a, std::string_view b);

/// As compare, for texts that validate() has accepted. For other text the answer has no meaning,
/// but reading stays within it. Allocates nothing.
std::weak_ordering compare_valid(Scheme scheme, std::string_view a, std::string_view b) noexcept;

}  // namespace muster::version
