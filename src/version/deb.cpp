// SPDX-License-Identifier: Apache-2.0
#include "version/deb.h"

#include <optional>

#include "version/parts.h"

namespace muster::version {

namespace {

struct Parts {
  std::string_view epoch;
  std::string_view upstream;
  std::optional<std::string_view> revision;
};

Parts split(std::string_view text) noexcept {
  Parts parts;
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    parts.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (const auto hyphen = text.rfind('-'); hyphen != std::string_view::npos) {
    parts.revision = text.substr(hyphen + 1);
    text = text.substr(0, hyphen);
  }
  parts.upstream = text;
  return parts;
}

/// The weight of the character at the front of `text` within a run of non-digits. A digit ends the
/// run and so weighs what the end of the text does.
int weight(std::string_view text) noexcept {
  if (text.empty() || is_digit(text.front())) return 0;
  const char c = text.front();
  if (c == '~') return -1;
  return is_letter(c) ? c : static_cast<unsigned char>(c) + 256;
}

std::weak_ordering compare_part(std::string_view a, std::string_view b) noexcept {
  while (!a.empty() || !b.empty()) {
    while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
      if (const auto order = weight(a) <=> weight(b); order != 0) return order;
      // Equal weights other than 0 mean the same character at both fronts.
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
    if (const auto order = compare_digits(take_digits(a), take_digits(b)); order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

}  // namespace

Result<void> validate_deb(std::string_view text) {
  if (text.empty()) return bad_version("deb", text, "it is empty");
  const bool has_epoch = text.find(':') != std::string_view::npos;
  const Parts parts = split(text);
  if (has_epoch) {
    for (const char c : parts.epoch) {
      if (!is_digit(c)) return bad_version("deb", text, "the epoch is not a number");
    }
    if (parts.epoch.empty()) return bad_version("deb", text, "the epoch is empty");
  }
  if (parts.upstream.empty()) return bad_version("deb", text, "the upstream version is empty");
  if (!is_digit(parts.upstream.front())) {
    return bad_version("deb", text, "the upstream version does not start with a digit");
  }
  for (const char c : parts.upstream) {
    if (is_digit(c) || is_letter(c) || c == '.' || c == '+' || c == '~' || c == '-') continue;
    if (c == ':' && has_epoch) continue;
    return bad_version("deb", text, "the upstream version has an invalid character");
  }
  if (!parts.revision) return {};
  if (parts.revision->empty()) return bad_version("deb", text, "the revision is empty");
  for (const char c : *parts.revision) {
    if (is_digit(c) || is_letter(c) || c == '.' || c == '+' || c == '~') continue;
    return bad_version("deb", text, "the revision has an invalid character");
  }
  return {};
}

std::weak_ordering compare_deb(std::string_view a, std::string_view b) noexcept {
  const Parts left = split(a);
  const Parts right = split(b);
  if (const auto order = compare_digits(left.epoch, right.epoch); order != 0) return order;
  if (const auto order = compare_part(left.upstream, right.upstream); order != 0) return order;
  // No revision and the revision 0 are the same, which the part order gives: "" and "0" are equal.
  return compare_part(left.revision.value_or(""), right.revision.value_or(""));
}

}  // namespace muster::version
