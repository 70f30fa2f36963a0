// SPDX-License-Identifier: Apache-2.0
#include "version/packagist.h"

#include <array>

#include "base/text.h"
#include "version/parts.h"

namespace muster::version {

namespace {

/// The kinds of parts, in the order in which different kinds compare.
enum class Kind { word, dev, alpha, beta, rc, end, number, patch };

struct Stability {
  std::string_view word;
  Kind kind;
};
constexpr std::array<Stability, 10> stabilities{{{"dev", Kind::dev},
                                                 {"alpha", Kind::alpha},
                                                 {"a", Kind::alpha},
                                                 {"beta", Kind::beta},
                                                 {"b", Kind::beta},
                                                 {"rc", Kind::rc},
                                                 {"pl", Kind::patch},
                                                 {"p", Kind::patch},
                                                 {"patch", Kind::patch},
                                                 {"post", Kind::patch}}};

struct Part {
  Kind kind = Kind::end;
  std::string_view text = {};
};

std::string_view without_prefix(std::string_view text) noexcept {
  drop_prefix(text, "v");
  return text;
}

/// Cuts the part at the front off `rest`.
Part take_part(std::string_view& rest) noexcept {
  while (!rest.empty() && !is_alnum(rest.front())) rest.remove_prefix(1);
  if (rest.empty()) return {};
  if (is_digit(rest.front())) return {Kind::number, take_digits(rest)};
  const auto word = take_letters(rest);
  for (const auto& [known, kind] : stabilities) {
    if (equal_folded(word, known)) return {kind, word};
  }
  return {Kind::word, word};
}

/// The parts of a version in turn.
class Parts {
 public:
  explicit Parts(std::string_view text) noexcept : rest_(without_prefix(text)) {}

  Part next() noexcept {
    constexpr int numbers_min = 4;
    std::string_view after = rest_;
    const Part part = take_part(after);
    const bool fills = part.kind != Kind::number && numbers_ < numbers_min;
    ++numbers_;
    if (fills) return {Kind::number, "0"};
    rest_ = after;
    return part;
  }

 private:
  std::string_view rest_;
  int numbers_ = 0;  // at the front, so far
};

}  // namespace

Result<void> validate_packagist(std::string_view text) {
  std::string_view rest = without_prefix(text);
  if (!digit_first(rest)) {
    return bad_version("packagist", text, "it does not start with a number");
  }
  for (const char c : rest) {
    if (!is_alnum(c) && std::string_view(".-_+").find(c) == std::string_view::npos) {
      return bad_version("packagist", text, "it has an invalid character");
    }
  }
  for (Part part = take_part(rest); part.kind != Kind::end; part = take_part(rest)) {
    if (part.kind == Kind::word && equal_folded(part.text, "x")) {
      return bad_version("packagist", text, "it is a branch");
    }
  }
  return {};
}

std::weak_ordering compare_packagist(std::string_view a, std::string_view b) noexcept {
  Parts left(a);
  Parts right(b);
  for (;;) {
    const Part x = left.next();
    const Part y = right.next();
    if (x.kind != y.kind) return x.kind <=> y.kind;
    if (x.kind == Kind::end) return std::weak_ordering::equivalent;
    auto order = std::weak_ordering::equivalent;
    if (x.kind == Kind::number) order = compare_digits(x.text, y.text);
    if (x.kind == Kind::word) order = compare_folded(x.text, y.text);
    if (order != 0) return order;
  }
}

}  // namespace muster::version
