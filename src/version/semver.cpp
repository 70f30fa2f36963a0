// SPDX-License-Identifier: Apache-2.0
#include "version/semver.h"

#include "base/text.h"
#include "version/semver_text.h"

namespace muster::version {

namespace {

SemverText read(std::string_view text) noexcept {
  text = trim(text);
  drop_prefix(text, "v");
  return split_semver(text);
}

}  // namespace

Result<void> validate_semver(std::string_view text) {
  if (const char* fault = fault_of(read(text))) return bad_version("semver", text, fault);
  return {};
}

std::weak_ordering compare_semver(std::string_view a, std::string_view b) noexcept {
  const SemverText left = read(a);
  const SemverText right = read(b);
  if (const auto order = compare_releases(left.release, right.release); order != 0) return order;
  return compare_prereleases(left, right, LetterCase::kept);
}

}  // namespace muster::version
