// SPDX-License-Identifier: Apache-2.0
#include "version/semver_text.h"

#include <algorithm>

#include "base/text.h"

namespace muster::version {

namespace {

bool is_number(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), is_digit);
}

/// Cuts the identifier at the front and the dot after it off `text`.
std::string_view take_identifier(std::string_view& text, bool words_end_at_digits) noexcept {
  if (words_end_at_digits) {
    std::string_view rest = text;
    const auto word = take_letters(rest);
    if (!word.empty() && digit_first(rest)) {
      text = rest;
      return word;
    }
  }
  const auto dot = text.find('.');
  const auto identifier = text.substr(0, dot);
  text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  return identifier;
}

bool are_identifiers(std::string_view text) noexcept {
  if (text.empty() || text.back() == '.') return false;
  while (!text.empty()) {
    const auto identifier = take_identifier(text, false);
    if (identifier.empty()) return false;
    for (const char c : identifier) {
      if (!is_alnum(c) && c != '-') return false;
    }
  }
  return true;
}

std::weak_ordering compare_identifier(std::string_view a, std::string_view b,
                                      LetterCase letters) noexcept {
  const bool numbers[] = {is_number(a), is_number(b)};
  if (numbers[0] && numbers[1]) return compare_digits(a, b);
  if (numbers[0] != numbers[1]) return numbers[1] <=> numbers[0];
  return letters == LetterCase::folded ? compare_folded(a, b) : a.compare(b) <=> 0;
}

}  // namespace

SemverText split_semver(std::string_view text) noexcept {
  SemverText parts;
  parts.release = take_release(text);
  if (const auto plus = text.find('+'); plus != std::string_view::npos) {
    parts.build = text.substr(plus + 1);
    text = text.substr(0, plus);
  }
  const auto after_dot = text.substr(std::min<std::size_t>(1, text.size()));
  if (text.starts_with('-')) {
    parts.prerelease = after_dot;
  } else if (!text.empty() && is_letter(text.front())) {
    parts.prerelease = text;
    parts.loose = true;
  } else if (text.starts_with('.') && !after_dot.empty() && is_letter(after_dot.front())) {
    parts.prerelease = after_dot;
    parts.loose = true;
  } else {
    parts.rest = text;
  }
  return parts;
}

const char* fault_of(const SemverText& parts) noexcept {
  if (parts.release.empty()) return "it does not start with a number";
  if (!parts.rest.empty()) return "something stands between the numbers and the end";
  if (parts.loose && (equal_folded(*parts.prerelease, "x") ||
                      equal_folded(parts.prerelease->substr(0, 2), "x."))) {
    return "it is a range of versions";
  }
  if (parts.prerelease && !are_identifiers(*parts.prerelease)) {
    return "the prerelease is not identifiers between dots";
  }
  if (parts.build && !are_identifiers(*parts.build)) {
    return "the build is not identifiers between dots";
  }
  return nullptr;
}

std::weak_ordering compare_prereleases(const SemverText& a, const SemverText& b,
                                       LetterCase letters) noexcept {
  if (!a.prerelease || !b.prerelease) return b.prerelease.has_value() <=> a.prerelease.has_value();
  std::string_view left = *a.prerelease;
  std::string_view right = *b.prerelease;
  while (!left.empty() && !right.empty()) {
    const auto x = take_identifier(left, a.words_end_at_digits);
    const auto y = take_identifier(right, b.words_end_at_digits);
    if (const auto order = compare_identifier(x, y, letters); order != 0) return order;
  }
  return right.empty() <=> left.empty();
}

}  // namespace muster::version
