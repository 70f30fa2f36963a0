// SPDX-License-Identifier: Apache-2.0
#include "version/rubygems.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "version/parts.h"

namespace muster::version {

namespace {

constexpr std::array<std::string_view, 16> platforms{
    "java", "jruby",     "mswin", "mingw",   "x86", "x64",  "amd64", "i386",
    "i686", "universal", "arm",   "aarch64", "ppc", "s390", "riscv", "linux"};

/// Whether the word between hyphens at the front of `text` names a platform: a name above, alone
/// or before more digits and letters that tell its kind (armv7, x64-mingw32, mswin64).
bool is_platform(std::string_view text) noexcept {
  text = text.substr(0, text.find_first_of("-."));
  return std::any_of(platforms.begin(), platforms.end(),
                     [&](std::string_view each) { return text.starts_with(each); });
}

std::string_view without_platform(std::string_view text) noexcept {
  text = trim(text);
  for (auto at = text.find('-'); at != std::string_view::npos; at = text.find('-', at + 1)) {
    if (is_platform(text.substr(at + 1))) return text.substr(0, at);
  }
  return text;
}

struct Segment {
  std::string_view text = "0";
  bool is_word = false;
  bool at_end = false;
};

bool is_zero(const Segment& segment) noexcept {
  return !segment.is_word && segment.text.find_first_not_of('0') == std::string_view::npos;
}

/// Reads the segments without the zeros that say nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(without_platform(text)) {}

  Segment next() noexcept {
    const Reader start = *this;
    Segment segment = raw();
    if (zeros_kept_ > 0) {
      --zeros_kept_;
      return segment;
    }
    if (after_word_ || !is_zero(segment)) return seen(segment);
    std::size_t zeros = 0;
    for (; is_zero(segment) && !segment.at_end; segment = raw()) ++zeros;
    if (segment.is_word || segment.at_end) return seen(segment);
    *this = start;
    zeros_kept_ = zeros - 1;
    return raw();
  }

 private:
  Segment seen(const Segment& segment) noexcept {
    after_word_ |= segment.is_word;
    return segment;
  }

  Segment raw() noexcept {
    while (!rest_.empty() && !is_alnum(rest_.front())) {
      const bool hyphen = rest_.front() == '-';
      rest_.remove_prefix(1);
      if (hyphen) return {"pre", true};
    }
    if (rest_.empty()) return {"0", false, true};
    if (is_digit(rest_.front())) return {take_digits(rest_)};
    return {take_letters(rest_), true};
  }

  std::string_view rest_;
  std::size_t zeros_kept_ = 0;
  bool after_word_ = false;
};

/// Letters and digits, not empty, between dots.
bool are_parts(std::string_view text, bool hyphens) noexcept {
  bool empty = true;
  for (const char c : text) {
    if (c == '.') {
      if (empty) return false;
      empty = true;
    } else if (is_alnum(c) || (hyphens && c == '-')) {
      empty = false;
    } else {
      return false;
    }
  }
  return !empty;
}

}  // namespace

Result<void> validate_rubygems(std::string_view text) {
  const auto version = without_platform(text);
  const auto hyphen = version.find('-');
  const auto first_dot = version.substr(0, hyphen).find('.');
  const auto major = version.substr(0, std::min(hyphen, first_dot));
  if (major.empty() || !std::all_of(major.begin(), major.end(), is_digit)) {
    return bad_version("rubygems", text, "it does not start with a number");
  }
  if (!are_parts(version.substr(0, hyphen), false)) {
    return bad_version("rubygems", text, "it is not letters and digits between dots");
  }
  if (hyphen != std::string_view::npos && !are_parts(version.substr(hyphen + 1), true)) {
    return bad_version("rubygems", text, "after the hyphen come no parts between dots");
  }
  return {};
}

std::weak_ordering compare_rubygems(std::string_view a, std::string_view b) noexcept {
  Reader left(a);
  Reader right(b);
  for (;;) {
    const Segment x = left.next();
    const Segment y = right.next();
    if (x.at_end && y.at_end) return std::weak_ordering::equivalent;
    if (x.is_word != y.is_word) return y.is_word <=> x.is_word;
    const auto order = x.is_word ? x.text.compare(y.text) <=> 0 : compare_digits(x.text, y.text);
    if (order != 0) return order;
  }
}

}  // namespace muster::version
