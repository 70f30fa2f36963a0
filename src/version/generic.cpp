// SPDX-License-Identifier: Apache-2.0
#include "version/generic.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"
#include "version/parts.h"

namespace muster::version {

namespace {

constexpr std::array<std::string_view, 7> prefixes{"version", "release", "build", "ver",
                                                   "rel",     "v",       "r"};
constexpr std::array<std::string_view, 14> architectures{
    "x86_64", "x86-64", "x86",   "x64",   "amd64",  "arm64",  "aarch64",
    "i386",   "i686",   "win32", "win64", "32-bit", "64-bit", "64bit"};

struct EarlyWord {
  std::string_view word;
  int rank;
};
constexpr std::array<EarlyWord, 15> early_words{{{"dev", 1},
                                                 {"snapshot", 2},
                                                 {"nightly", 3},
                                                 {"canary", 4},
                                                 {"alpha", 5},
                                                 {"beta", 6},
                                                 {"milestone", 7},
                                                 {"pre", 8},
                                                 {"preview", 8},
                                                 {"prerelease", 8},
                                                 {"insider", 8},
                                                 {"ea", 8},
                                                 {"eap", 8},
                                                 {"rc", 9},
                                                 {"cr", 9}}};
/// Letters that are one of these only with a number right after them.
constexpr std::array<EarlyWord, 3> early_letters{{{"a", 5}, {"b", 6}, {"m", 7}}};
constexpr int tilde_rank = 0;
constexpr int alpha_rank = 5;
constexpr int end_rank = 10;
constexpr int patch_rank = 11;
/// What publishers call the release itself.
constexpr std::array<std::string_view, 4> release_words{"final", "ga", "release", "stable"};

/// The white space that trim() drops.
constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view without_remark(std::string_view text) noexcept {
  if (!text.ends_with(')')) return text;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '(' && is_space(text[i - 1])) return trim(text.substr(0, i));
  }
  return text;
}

std::string_view without_prefix(std::string_view text) noexcept {
  for (const auto prefix : prefixes) {
    std::string_view rest = text;
    if (!drop_prefix(rest, prefix)) continue;
    if (!rest.empty() && std::string_view(".-_").find(rest.front()) != std::string_view::npos) {
      rest.remove_prefix(1);
    }
    rest = trim(rest);
    if (digit_first(rest)) return rest;
  }
  return text;
}

bool ends_in_locale(std::string_view text) noexcept {
  if (text.size() < 6) return false;
  const auto tail = text.substr(text.size() - 6);
  return is_space(tail[0]) && is_letter(tail[1]) && is_letter(tail[2]) && tail[3] == '-' &&
         is_letter(tail[4]) && is_letter(tail[5]);
}

/// Cuts one word that names a platform and what separates it off the end.
bool drop_platform(std::string_view& text) noexcept {
  if (ends_in_locale(text)) {
    text = trim(text.substr(0, text.size() - 6));
    return true;
  }
  for (const auto word : architectures) {
    if (text.size() <= word.size() + 1) continue;
    const auto cut = text.size() - word.size();
    const char before = text[cut - 1];
    if (!is_space(before) && before != '-' && before != '_' && before != '.') continue;
    if (!equal_folded(text.substr(cut), word)) continue;
    text = trim(text.substr(0, cut - 1));
    return true;
  }
  return false;
}

std::string_view clean(std::string_view text) noexcept {
  // Most versions are numbers and dots, and there is nothing to clean away.
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
  if (plain) return text;
  text = without_prefix(without_remark(trim(text)));
  while (drop_platform(text)) {
  }
  return text;
}

/// Anything but a separator.
constexpr bool is_token(char c) {
  return is_alnum(c) || c == '~';
}

struct Word {
  int rank = end_rank;
  std::string_view text = {};
};

class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(clean(text)) {}

  /// The number at the front; nothing where a word or the end comes next.
  std::optional<std::string_view> number() noexcept {
    skip_separators();
    if (!digit_first(rest_)) return std::nullopt;
    after_hyphen_ = false;
    return take_digits(rest_);
  }

  /// The word at the front, or the end.
  Word word() noexcept {
    skip_separators();
    while (drop_release_word()) skip_separators();
    if (rest_.empty()) return {};
    const bool after_hyphen = std::exchange(after_hyphen_, false);
    if (rest_.front() == '~') {
      rest_.remove_prefix(1);
      return {tilde_rank};
    }
    const auto letters = take_letters(rest_);
    if (after_hyphen && equal_folded(letters, "a")) return {alpha_rank};
    for (const auto& [early, rank] : early_words) {
      if (equal_folded(letters, early)) return {rank};
    }
    for (const auto& [early, rank] : early_letters) {
      if (digit_first(rest_) && equal_folded(letters, early)) return {rank};
    }
    return {patch_rank, letters};
  }

 private:
  /// "Final" of "4.1.9.Final"; with a number it is a series of its own ("2.5.STABLE4").
  bool drop_release_word() noexcept {
    std::string_view after = rest_;
    const auto letters = take_letters(after);
    if (std::none_of(release_words.begin(), release_words.end(),
                     [&](std::string_view each) { return equal_folded(letters, each); })) {
      return false;
    }
    const auto next = std::find_if(after.begin(), after.end(), is_token);
    if (next != after.end() && is_digit(*next)) return false;
    rest_ = after;
    return true;
  }

  void skip_separators() noexcept {
    while (!rest_.empty() && !is_token(rest_.front())) {
      after_hyphen_ = rest_.front() == '-';
      rest_.remove_prefix(1);
    }
  }

  std::string_view rest_;
  bool after_hyphen_ = false;
};

}  // namespace

const char* generic_fault(std::string_view text) noexcept {
  text = clean(text);
  if (!digit_first(text)) return "it does not start with a number";
  for (const char c : text) {
    if (!is_alnum(c) && std::string_view(".-_+~,/() ").find(c) == std::string_view::npos) {
      return "it has an invalid character";
    }
  }
  return nullptr;
}

Result<void> validate_generic(std::string_view text) {
  if (const char* fault = generic_fault(text)) return bad_version("generic", text, fault);
  return {};
}

std::weak_ordering compare_generic(std::string_view a, std::string_view b) noexcept {
  Reader left(a);
  Reader right(b);
  for (;;) {
    for (;;) {
      const auto x = left.number();
      const auto y = right.number();
      if (!x && !y) break;
      const auto order = compare_digits(x.value_or(""), y.value_or(""));
      if (order != 0) return order;
    }
    const Word x = left.word();
    const Word y = right.word();
    if (x.rank != y.rank) return x.rank <=> y.rank;
    if (x.rank == end_rank) return std::weak_ordering::equivalent;
    if (const auto order = compare_folded(x.text, y.text); order != 0) return order;
  }
}

}  // namespace muster::version
