// SPDX-License-Identifier: Apache-2.0
#include "version/parts.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace muster::version {

std::string_view take_release(std::string_view& text) noexcept {
  const std::string_view whole = text;
  if (take_digits(text).empty()) return {};
  while (text.size() > 1 && text[0] == '.' && is_digit(text[1])) {
    text.remove_prefix(1);
    take_digits(text);
  }
  return whole.substr(0, whole.size() - text.size());
}

bool drop_prefix(std::string_view& text, std::string_view prefix) noexcept {
  if (text.empty() || ascii_lower(text.front()) != prefix.front()) return false;
  if (!equal_folded(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::weak_ordering compare_releases(std::string_view a, std::string_view b) noexcept {
  while (!a.empty() || !b.empty()) {
    if (const auto order = compare_digits(take_digits(a), take_digits(b)); order != 0) return order;
    a.remove_prefix(std::min<std::size_t>(1, a.size()));
    b.remove_prefix(std::min<std::size_t>(1, b.size()));
  }
  return std::weak_ordering::equivalent;
}

std::weak_ordering compare_folded(std::string_view a, std::string_view b) noexcept {
  const std::size_t shared = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < shared; ++i) {
    const auto left = static_cast<unsigned char>(ascii_lower(a[i]));
    const auto right = static_cast<unsigned char>(ascii_lower(b[i]));
    if (left != right) return left <=> right;
  }
  return a.size() <=> b.size();
}

Error bad_version(std::string_view scheme, std::string_view text, std::string_view what) {
  return invalid_field("version", "\"" + escape_for_terminal(cut_utf8(text, 80)) + "\" is no " +
                                      std::string(scheme) + " version: " + std::string(what));
}

}  // namespace muster::version
