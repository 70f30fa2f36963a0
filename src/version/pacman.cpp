// SPDX-License-Identifier: Apache-2.0
#include "version/pacman.h"

#include <algorithm>
#include <optional>

#include "version/parts.h"

namespace muster::version {

namespace {

struct Parts {
  std::optional<std::string_view> epoch;
  std::string_view version;
  std::optional<std::string_view> release;
};

Parts split(std::string_view text) noexcept {
  Parts parts;
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    parts.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const auto hyphen = text.rfind('-');
  parts.version = text.substr(0, hyphen);
  if (hyphen != std::string_view::npos) parts.release = text.substr(hyphen + 1);
  return parts;
}

std::size_t take_separators(std::string_view& text) noexcept {
  const auto end = std::find_if(text.begin(), text.end(), is_alnum);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count;
}

/// What follows where both texts were equal so far, in the order in which different things
/// compare. Letters without a separator follow digits only, digits without one letters only.
enum class Front { letters, end, digits, separator };

Front front_of(std::string_view text) noexcept {
  if (text.empty()) return Front::end;
  if (is_letter(text.front())) return Front::letters;
  return is_digit(text.front()) ? Front::digits : Front::separator;
}

/// The order of two runs that both begin here; what is cut off was equal if the answer is.
std::weak_ordering compare_run(std::string_view& a, std::string_view& b) noexcept {
  const bool digits[] = {digit_first(a), digit_first(b)};
  if (digits[0] != digits[1]) return digits[0] <=> digits[1];
  if (digits[0]) return compare_digits(take_digits(a), take_digits(b));
  return take_letters(a).compare(take_letters(b)) <=> 0;
}

std::weak_ordering compare_version(std::string_view a, std::string_view b) noexcept {
  for (bool first = true;; first = false) {
    const Front front = front_of(a);
    const auto order = front <=> front_of(b);
    // At the very front letters and digits both may stand without a separator.
    if (order != 0 && !(first && !a.empty() && !b.empty())) return order;
    if (order == 0 && front == Front::end) return order;
    const auto separators = take_separators(a) <=> take_separators(b);
    if (separators != 0) return separators;
    if (const auto run = compare_run(a, b); run != 0) return run;
  }
}

}  // namespace

Result<void> validate_pacman(std::string_view text) {
  const Parts parts = split(text);
  if (parts.epoch) {
    if (parts.epoch->empty() || !std::all_of(parts.epoch->begin(), parts.epoch->end(), is_digit)) {
      return bad_version("pacman", text, "the epoch is not a number");
    }
  }
  for (const char c : parts.version) {
    if (c <= ' ' || c > '~' || c == ':' || c == '/' || c == '-') {
      return bad_version("pacman", text, "the pkgver has an invalid character");
    }
  }
  if (parts.version.empty() || !is_alnum(parts.version.back())) {
    return bad_version("pacman", text, "the pkgver does not end in a letter or a digit");
  }
  if (!parts.release) return {};
  std::string_view release = *parts.release;
  if (take_release(release).empty() || !release.empty()) {
    return bad_version("pacman", text, "the pkgrel is not numbers between dots");
  }
  return {};
}

std::weak_ordering compare_pacman(std::string_view a, std::string_view b) noexcept {
  const Parts left = split(a);
  const Parts right = split(b);
  const auto epochs = compare_digits(left.epoch.value_or(""), right.epoch.value_or(""));
  if (epochs != 0) return epochs;
  const auto versions = compare_version(left.version, right.version);
  if (versions != 0 || !left.release || !right.release) return versions;
  return compare_version(*left.release, *right.release);
}

}  // namespace muster::version
