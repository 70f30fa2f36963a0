// SPDX-License-Identifier: Apache-2.0
#include "version/golang.h"

#include <algorithm>

#include "version/semver_text.h"

namespace muster::version {

namespace {

SemverText read(std::string_view text) noexcept {
  if (!drop_prefix(text, "v")) drop_prefix(text, "go");
  SemverText parts = split_semver(text);
  parts.words_end_at_digits = parts.loose;
  return parts;
}

}  // namespace

Result<void> validate_golang(std::string_view text) {
  const SemverText parts = read(text);
  if (const char* fault = fault_of(parts)) return bad_version("golang", text, fault);
  if (std::count(parts.release.begin(), parts.release.end(), '.') > 2) {
    return bad_version("golang", text, "it has more than three numbers");
  }
  return {};
}

std::weak_ordering compare_golang(std::string_view a, std::string_view b) noexcept {
  const SemverText left = read(a);
  const SemverText right = read(b);
  if (const auto order = compare_releases(left.release, right.release); order != 0) return order;
  return compare_prereleases(left, right, LetterCase::kept);
}

}  // namespace muster::version
