// SPDX-License-Identifier: Apache-2.0
#include "version/nuget.h"

#include <algorithm>

#include "base/text.h"
#include "version/semver_text.h"

namespace muster::version {

Result<void> validate_nuget(std::string_view text) {
  const SemverText parts = split_semver(trim(text));
  if (const char* fault = fault_of(parts)) return bad_version("nuget", text, fault);
  if (parts.loose) return bad_version("nuget", text, "the prerelease has no hyphen before it");
  if (std::count(parts.release.begin(), parts.release.end(), '.') > 3) {
    return bad_version("nuget", text, "it has more than four numbers");
  }
  return {};
}

std::weak_ordering compare_nuget(std::string_view a, std::string_view b) noexcept {
  const SemverText left = split_semver(trim(a));
  const SemverText right = split_semver(trim(b));
  if (const auto order = compare_releases(left.release, right.release); order != 0) return order;
  return compare_prereleases(left, right, LetterCase::folded);
}

}  // namespace muster::version
