// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <compare>
#include <string_view>

#include "base/result.h"
#include "base/text.h"

/// What several schemes read and compare alike. Nothing here allocates but bad_version.
namespace muster::version {

/// Whether `text` starts with a digit.
constexpr bool digit_first(std::string_view text) {
  return !text.empty() && is_digit(text.front());
}

/// Cuts the digits at the front off `text`; empty when there are none.
inline std::string_view take_digits(std::string_view& text) noexcept {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  const auto digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}
/// Cuts the ASCII letters at the front off `text`; empty when there are none.
inline std::string_view take_letters(std::string_view& text) noexcept {
  std::size_t length = 0;
  while (length < text.size() && is_letter(text[length])) ++length;
  const auto letters = text.substr(0, length);
  text.remove_prefix(length);
  return letters;
}
/// Cuts digits joined by single dots off the front: `1.2.3` of `1.2.3.rc1`.
std::string_view take_release(std::string_view& text) noexcept;
/// Drops `prefix`, in small letters, from the front in any case of letters; false when it is not
/// there.
bool drop_prefix(std::string_view& text, std::string_view prefix) noexcept;

/// Empties `text` when it is a build as in `+10-Debian.1`: a plus, then letters, digits, - and
/// dots.
inline void drop_build(std::string_view& text) noexcept {
  if (text.size() < 2 || text.front() != '+') return;
  const bool plain = std::all_of(text.begin() + 1, text.end(),
                                 [](char c) { return is_alnum(c) || c == '-' || c == '.'; });
  if (plain) text = {};
}

/// Numbers written in digits, of any length. No digits are 0.
inline std::weak_ordering compare_digits(std::string_view a, std::string_view b) noexcept {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}
/// Digits joined by dots, number by number; missing numbers are 0.
std::weak_ordering compare_releases(std::string_view a, std::string_view b) noexcept;
/// Text byte by byte, ASCII letters in any case.
std::weak_ordering compare_folded(std::string_view a, std::string_view b) noexcept;

/// The refusal of `text` by `scheme`: invalid_field.
Error bad_version(std::string_view scheme, std::string_view text, std::string_view what);

}  // namespace muster::version
