// SPDX-License-Identifier: Apache-2.0
#include "version/maven.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "version/parts.h"

namespace muster::version {

namespace {

/// The kinds of tokens, in the order in which different kinds compare.
enum class Kind { alpha, beta, milestone, rc, snapshot, null_word, sp, word, dash_number, number };

struct Token {
  Kind kind = Kind::null_word;
  std::string_view text = {};
  bool after_hyphen = false;
  bool at_end = false;
};

struct Qualifier {
  std::string_view word;
  Kind kind;
};
constexpr std::array<Qualifier, 10> qualifiers{{{"alpha", Kind::alpha},
                                                {"beta", Kind::beta},
                                                {"milestone", Kind::milestone},
                                                {"rc", Kind::rc},
                                                {"cr", Kind::rc},
                                                {"snapshot", Kind::snapshot},
                                                {"ga", Kind::null_word},
                                                {"final", Kind::null_word},
                                                {"release", Kind::null_word},
                                                {"sp", Kind::sp}}};

Kind kind_of(std::string_view word, bool digits_follow) noexcept {
  if (digits_follow && word.size() == 1) {
    const char letter = ascii_lower(word.front());
    if (letter == 'a') return Kind::alpha;
    if (letter == 'b') return Kind::beta;
    if (letter == 'm') return Kind::milestone;
  }
  for (const auto& [known, kind] : qualifiers) {
    if (equal_folded(word, known)) return kind;
  }
  return Kind::word;
}

bool is_number(const Token& token) noexcept {
  return token.kind == Kind::number || token.kind == Kind::dash_number;
}

bool is_null(const Token& token) noexcept {
  return is_number(token) ? token.text.find_first_not_of('0') == std::string_view::npos
                          : token.kind == Kind::null_word;
}

/// Reads the tokens that are left when nulls that say nothing are gone.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  Token next() noexcept {
    if (nulls_kept_ > 0) {
      --nulls_kept_;
      return raw();
    }
    const Reader start = *this;
    std::size_t nulls = 0;
    Token token = raw();
    while (!token.at_end && is_null(token)) {
      ++nulls;
      token = raw();
    }
    const bool keeps_nulls = token.kind == Kind::number && !token.at_end;
    if (nulls == 0 || !keeps_nulls) return token;
    *this = start;
    nulls_kept_ = nulls - 1;
    return raw();
  }

 private:
  Token raw() noexcept {
    if (rest_.empty()) return {Kind::null_word, {}, false, true};
    Token token;
    token.after_hyphen = hyphen_;
    hyphen_ = false;
    const bool digits = digit_first(rest_);
    const auto end = std::find_if(rest_.begin(), rest_.end(), [&](char c) {
      return c == '.' || c == '-' || is_digit(c) != digits;
    });
    const auto length = static_cast<std::size_t>(end - rest_.begin());
    token.text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    const bool separated = !rest_.empty() && (rest_.front() == '.' || rest_.front() == '-');
    if (digits || length == 0) {
      token.kind = token.after_hyphen ? Kind::dash_number : Kind::number;
    } else {
      token.kind = kind_of(token.text, !separated && !rest_.empty());
    }
    hyphen_ = !rest_.empty() && rest_.front() != '.';
    if (separated) rest_.remove_prefix(1);
    return token;
  }

  std::string_view rest_;
  /// Nulls ahead that were found to stay.
  std::size_t nulls_kept_ = 0;
  bool hyphen_ = false;
};

/// A null that stayed has a number after it that decides, so against the end it is equal.
std::weak_ordering compare_tokens(const Token& a, const Token& b) noexcept {
  if (a.at_end != b.at_end && is_null(a) && is_null(b)) return std::weak_ordering::equivalent;
  if (a.kind != b.kind) return a.kind <=> b.kind;
  if (is_number(a)) return compare_digits(a.text, b.text);
  return a.kind == Kind::word ? compare_folded(a.text, b.text) : std::weak_ordering::equivalent;
}

}  // namespace

Result<void> validate_maven(std::string_view text) {
  if (text.empty() || !is_alnum(text.front())) {
    return bad_version("maven", text, "it does not start with a letter or a digit");
  }
  if (std::none_of(text.begin(), text.end(), is_digit)) {
    return bad_version("maven", text, "it has no number");
  }
  for (const char c : text) {
    if (!is_alnum(c) && std::string_view(".-_+~").find(c) == std::string_view::npos) {
      return bad_version("maven", text, "it has an invalid character");
    }
  }
  return {};
}

std::weak_ordering compare_maven(std::string_view a, std::string_view b) noexcept {
  Reader left(a);
  Reader right(b);
  for (;;) {
    const Token x = left.next();
    const Token y = right.next();
    if (x.at_end && y.at_end) return std::weak_ordering::equivalent;
    if (const auto order = compare_tokens(x, y); order != 0) return order;
  }
}

}  // namespace muster::version
