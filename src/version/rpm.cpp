// SPDX-License-Identifier: Apache-2.0
#include "version/rpm.h"

#include <algorithm>

#include "base/text.h"
#include "version/parts.h"

namespace muster::version {

namespace {

struct Parts {
  std::string_view epoch;
  std::string_view version;
  std::string_view release;
};

Parts split(std::string_view text) noexcept {
  Parts parts;
  std::string_view after = text;
  const auto digits = take_digits(after);
  if (!digits.empty() && after.starts_with(':')) {
    parts.epoch = digits;
    text = after.substr(1);
  }
  const auto hyphen = text.rfind('-');
  parts.version = text.substr(0, hyphen);
  if (hyphen != std::string_view::npos) parts.release = text.substr(hyphen + 1);
  return parts;
}

void skip_separators(std::string_view& text) noexcept {
  const auto end = std::find_if(text.begin(), text.end(),
                                [](char c) { return is_alnum(c) || c == '~' || c == '^'; });
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
}

/// What stands at the front, in the order in which different things compare.
enum class Front { tilde, end, caret, letters, digits };

Front front_of(std::string_view text) noexcept {
  if (text.empty()) return Front::end;
  if (text.front() == '~') return Front::tilde;
  if (text.front() == '^') return Front::caret;
  return is_digit(text.front()) ? Front::digits : Front::letters;
}

std::weak_ordering compare_part(std::string_view a, std::string_view b) noexcept {
  for (;;) {
    skip_separators(a);
    skip_separators(b);
    const Front front = front_of(a);
    if (const auto order = front <=> front_of(b); order != 0) return order;
    std::weak_ordering order = std::weak_ordering::equivalent;
    switch (front) {
      case Front::end:
        return order;
      case Front::tilde:
      case Front::caret:
        a.remove_prefix(1);
        b.remove_prefix(1);
        break;
      case Front::letters:
        order = take_letters(a).compare(take_letters(b)) <=> 0;
        break;
      case Front::digits:
        order = compare_digits(take_digits(a), take_digits(b));
        break;
    }
    if (order != 0) return order;
  }
}

}  // namespace

Result<void> validate_rpm(std::string_view text) {
  const Parts parts = split(text);
  if (std::none_of(parts.version.begin(), parts.version.end(), is_alnum)) {
    return bad_version("rpm", text, "the version has no letter and no digit");
  }
  if (!is_plain_text(text) || text.find(' ') != std::string_view::npos) {
    return bad_version("rpm", text, "it has white space or a control character");
  }
  return {};
}

std::weak_ordering compare_rpm(std::string_view a, std::string_view b) noexcept {
  const Parts left = split(a);
  const Parts right = split(b);
  if (const auto order = compare_digits(left.epoch, right.epoch); order != 0) return order;
  if (const auto order = compare_part(left.version, right.version); order != 0) return order;
  return compare_part(left.release, right.release);
}

}  // namespace muster::version
