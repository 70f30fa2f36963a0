// SPDX-License-Identifier: Apache-2.0
#include "vuln/cpe.h"

#include <optional>
#include <vector>

#include "base/limits.h"
#include "base/text.h"

namespace muster::vuln {

namespace {

constexpr std::string_view formatted_prefix = "cpe:2.3:";
constexpr std::string_view uri_prefix = "cpe:/";
constexpr std::size_t attributes = 11;
constexpr std::size_t uri_attributes_max = 7;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

Error bad_cpe(std::string_view what) {
  return invalid_field("cpe", std::string(what));
}

/// Splits at colons that no backslash escapes; nothing if the last backslash escapes nothing.
std::optional<std::vector<std::string>> split(std::string_view text, bool escapes) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escapes && text[i] == '\\') {
      if (++i == text.size()) return std::nullopt;
      parts.back() += '\\';
      parts.back() += text[i];
    } else if (text[i] == ':') {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

/// A value without wildcards: punctuation but `.`, `-` and `_` is escaped.
bool is_literal(std::string_view value) {
  if (value.empty() || value == "-") return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') {
      ++i;
    } else if (!is_plain(value[i])) {
      return false;
    }
  }
  return true;
}

/// A formatted string's value for one component of a URI: percent-decoded, then escaped.
std::optional<std::string> from_uri(std::string_view component) {
  if (component.empty()) return "*";
  if (component == "-") return "-";
  std::string decoded;
  for (std::size_t i = 0; i < component.size(); ++i) {
    if (component[i] != '%') {
      decoded += component[i];
      continue;
    }
    const auto bytes = from_hex(component.substr(i + 1, 2));
    // %01 and %02 are wildcards, which identify nothing.
    if (!bytes || bytes->empty() || bytes->front() < 0x21 || bytes->front() > 0x7E) {
      return std::nullopt;
    }
    decoded += bytes->front();
    i += 2;
  }
  return escape_cpe_value(decoded);
}

Result<std::vector<std::string>> read_attributes(std::string_view folded) {
  if (folded.starts_with(formatted_prefix)) {
    auto parts = split(folded.substr(formatted_prefix.size()), true);
    if (!parts || parts->size() != attributes) return bad_cpe("must have eleven attributes");
    for (const std::string& part : *parts) {
      if (part.empty()) return bad_cpe("has an empty attribute");
    }
    return std::move(*parts);
  }
  if (!folded.starts_with(uri_prefix)) return bad_cpe("must begin with cpe:2.3: or cpe:/");
  const auto parts = split(folded.substr(uri_prefix.size()), false);
  if (parts->size() > uri_attributes_max) return bad_cpe("has more than seven components");
  std::vector<std::string> bound;
  for (const std::string& part : *parts) {
    auto value = from_uri(part);
    if (!value) return bad_cpe("has an illegal percent code");
    bound.push_back(std::move(*value));
  }
  bound.resize(attributes, "*");
  return bound;
}

}  // namespace

std::string escape_cpe_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const char folded = ascii_lower(c);
    if (c == ' ' || c == '\t') {
      out += '_';
    } else {
      if (!is_plain(folded)) out += '\\';
      out += folded;
    }
  }
  return out;
}

std::string make_cpe(std::string_view vendor, std::string_view product, std::string_view version) {
  std::string text("cpe:2.3:a:");
  text.append(vendor).append(":").append(product).append(":");
  text.append(version.empty() ? "*" : version).append(":*:*:*:*:*:*:*");
  return text;
}

Result<Cpe> parse_cpe(std::string_view text) {
  const std::string folded = fold_case(trim(text));
  if (folded.size() > limits::cpe_bytes) return bad_cpe("is too long");
  for (const char c : folded) {
    if (c <= 0x20 || c >= 0x7F) return bad_cpe("must be printable ASCII without spaces");
  }
  const std::vector<std::string> parts = TRY(read_attributes(folded));
  if (parts[0] != "a" && parts[0] != "o" && parts[0] != "h") {
    return bad_cpe("part must be a, o or h");
  }
  if (!is_literal(parts[1])) return bad_cpe("vendor must name a vendor");
  if (!is_literal(parts[2])) return bad_cpe("product must name a product");
  Cpe cpe{parts[0].front(), parts[1], parts[2], parts[3], "cpe:2.3"};
  for (const std::string& part : parts) cpe.text.append(":").append(part);
  return cpe;
}

}  // namespace muster::vuln
