// SPDX-License-Identifier: Apache-2.0
#include "version/openssl.h"

#include <algorithm>

#include "base/text.h"
#include "version/parts.h"

namespace muster::version {

namespace {

enum class Stage { development, alpha, beta, pre, release };

struct Parts {
  std::string_view release;
  std::string_view letters;
  Stage stage = Stage::release;
  std::string_view number;
  bool finished = true;
  /// What is left and is none of these; empty in valid text.
  std::string_view rest;
};

Stage take_stage(std::string_view& text) noexcept {
  if (drop_prefix(text, "-alpha")) return Stage::alpha;
  if (drop_prefix(text, "-beta")) return Stage::beta;
  if (drop_prefix(text, "-pre")) return Stage::pre;
  return Stage::release;
}

Parts split(std::string_view text) noexcept {
  Parts parts;
  text = trim(text);
  parts.release = take_release(text);
  parts.letters = take_letters(text);
  drop_prefix(text, "-fips");
  parts.stage = take_stage(text);
  if (parts.stage != Stage::release) parts.number = take_digits(text);
  parts.finished = !drop_prefix(text, "-dev");
  if (!parts.finished && parts.stage == Stage::release) parts.stage = Stage::development;
  drop_build(text);
  parts.rest = text;
  return parts;
}

}  // namespace

Result<void> validate_openssl(std::string_view text) {
  const Parts parts = split(text);
  if (parts.release.empty()) {
    return bad_version("openssl", text, "it does not start with a number");
  }
  if (std::count(parts.release.begin(), parts.release.end(), '.') > 2) {
    return bad_version("openssl", text, "it has more than three numbers");
  }
  if (!parts.rest.empty()) {
    return bad_version("openssl", text, "after the letters comes no -fips, stage, -dev or +build");
  }
  return {};
}

std::weak_ordering compare_openssl(std::string_view a, std::string_view b) noexcept {
  const Parts left = split(a);
  const Parts right = split(b);
  if (const auto order = compare_releases(left.release, right.release); order != 0) return order;
  if (const auto order = compare_folded(left.letters, right.letters); order != 0) return order;
  if (left.stage != right.stage) return left.stage <=> right.stage;
  if (const auto order = compare_digits(left.number, right.number); order != 0) return order;
  return left.finished <=> right.finished;
}

}  // namespace muster::version
