// SPDX-License-Identifier: Apache-2.0
#include "version/pep440.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "version/parts.h"

namespace muster::version {

namespace {

struct Spelling {
  std::string_view word;
  int rank;
};
/// Longer spellings first where one begins another.
constexpr std::array<Spelling, 8> pre_words{{{"alpha", 1},
                                             {"a", 1},
                                             {"beta", 2},
                                             {"b", 2},
                                             {"preview", 3},
                                             {"pre", 3},
                                             {"rc", 3},
                                             {"c", 3}}};
constexpr std::array<Spelling, 3> post_words{{{"post", 1}, {"rev", 1}, {"r", 1}}};
constexpr std::array<Spelling, 1> dev_words{{{"dev", 1}}};

struct Phase {
  int rank = 0;
  std::string_view number = {};
};

struct Parts {
  std::string_view epoch;
  std::string_view release;
  std::optional<Phase> pre;
  std::optional<Phase> post;
  std::optional<Phase> dev;
  std::optional<std::string_view> local;
  /// What is left and is none of these; empty in valid text.
  std::string_view rest;
};

constexpr bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_';
}

std::string_view without_separator(std::string_view text) noexcept {
  if (!text.empty() && is_separator(text.front())) text.remove_prefix(1);
  return text;
}

/// Cuts `[separator]word[separator][number]` off the front of `text` if it is there.
template <std::size_t Count>
std::optional<Phase> take_phase(std::string_view& text,
                                const std::array<Spelling, Count>& spellings) noexcept {
  const std::string_view start = without_separator(text);
  for (const auto& [word, rank] : spellings) {
    std::string_view rest = start;
    if (!drop_prefix(rest, word)) continue;
    std::string_view after = without_separator(rest);
    const auto number = take_digits(after);
    text = number.empty() ? rest : after;
    return Phase{rank, number};
  }
  return std::nullopt;
}

/// `-1` is `.post1`.
std::optional<Phase> take_post(std::string_view& text) noexcept {
  if (text.size() > 1 && text[0] == '-' && is_digit(text[1])) {
    text.remove_prefix(1);
    return Phase{1, take_digits(text)};
  }
  return take_phase(text, post_words);
}

Parts split(std::string_view text) noexcept {
  Parts parts;
  text = trim(text);
  drop_prefix(text, "v");
  std::string_view after_epoch = text;
  const auto epoch = take_digits(after_epoch);
  if (!epoch.empty() && after_epoch.starts_with('!')) {
    parts.epoch = epoch;
    text = after_epoch.substr(1);
  }
  parts.release = take_release(text);
  parts.pre = take_phase(text, pre_words);
  parts.post = take_post(text);
  parts.dev = take_phase(text, dev_words);
  if (text.starts_with('+')) {
    parts.local = text.substr(1);
    text = {};
  }
  parts.rest = text;
  return parts;
}

std::string_view take_local(std::string_view& text) noexcept {
  const auto end = std::find_if(text.begin(), text.end(), is_separator);
  const auto length = static_cast<std::size_t>(end - text.begin());
  const auto part = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  return part;
}

bool is_local(std::string_view text) noexcept {
  if (text.empty() || is_separator(text.back())) return false;
  while (!text.empty()) {
    const auto part = take_local(text);
    if (part.empty() || !std::all_of(part.begin(), part.end(), is_alnum)) return false;
  }
  return true;
}

std::weak_ordering compare_local(std::optional<std::string_view> a,
                                 std::optional<std::string_view> b) noexcept {
  if (!a || !b) return a.has_value() <=> b.has_value();
  while (!a->empty() && !b->empty()) {
    const auto left = take_local(*a);
    const auto right = take_local(*b);
    const bool left_number = std::all_of(left.begin(), left.end(), is_digit);
    const bool right_number = std::all_of(right.begin(), right.end(), is_digit);
    if (left_number != right_number) return left_number <=> right_number;
    const auto order = left_number ? compare_digits(left, right) : compare_folded(left, right);
    if (order != 0) return order;
  }
  return b->empty() <=> a->empty();
}

/// Where the version stands among those of its release: 0 for dev releases of the release itself,
/// which come before its prereleases, 4 for the release.
int stage_of(const Parts& parts) noexcept {
  if (parts.pre) return parts.pre->rank;
  return !parts.post && parts.dev ? 0 : 4;
}

std::weak_ordering compare_phases(const std::optional<Phase>& a,
                                  const std::optional<Phase>& b) noexcept {
  if (!a || !b) return a.has_value() <=> b.has_value();
  return compare_digits(a->number, b->number);
}

}  // namespace

Result<void> validate_pep440(std::string_view text) {
  const Parts parts = split(text);
  if (parts.release.empty()) {
    return bad_version("pep440", text, "it does not start with a number");
  }
  if (!parts.rest.empty()) {
    return bad_version("pep440", text, "after the release comes no pre, post, dev or +local");
  }
  if (parts.local && !is_local(*parts.local)) {
    return bad_version("pep440", text, "the local part is not letters and digits between . - _");
  }
  return {};
}

std::weak_ordering compare_pep440(std::string_view a, std::string_view b) noexcept {
  const Parts left = split(a);
  const Parts right = split(b);
  if (const auto order = compare_digits(left.epoch, right.epoch); order != 0) return order;
  if (const auto order = compare_releases(left.release, right.release); order != 0) return order;
  if (const auto order = stage_of(left) <=> stage_of(right); order != 0) return order;
  if (const auto order = compare_phases(left.pre, right.pre); order != 0) return order;
  if (const auto order = compare_phases(left.post, right.post); order != 0) return order;
  // A dev release leads to what it would be without its dev part.
  if (left.dev.has_value() != right.dev.has_value()) {
    return right.dev.has_value() <=> left.dev.has_value();
  }
  if (const auto order = compare_phases(left.dev, right.dev); order != 0) return order;
  return compare_local(left.local, right.local);
}

}  // namespace muster::version
