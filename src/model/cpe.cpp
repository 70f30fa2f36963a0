// SPDX-License-Identifier: Apache-2.0
#include "model/cpe.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/limits.h"
#include "base/text.h"

namespace muster::model {

namespace {

constexpr std::string_view formatted_prefix = "cpe:2.3:";
constexpr std::string_view uri_prefix = "cpe:/";
constexpr std::size_t uri_components_max = 7;
constexpr std::string_view any = "*";
constexpr std::string_view not_applicable = "-";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// Written without a backslash in a formatted string.
bool is_plain(char c) {
  return is_letter_or_digit(c) || c == '.' || c == '-';
}

Error bad_cpe(std::string_view what) {
  return invalid_field("cpe", std::string(what));
}

/// The parts of a text. `size` is true; only as many parts as a name has attributes are kept.
struct Parts {
  std::array<std::string_view, cpe_attributes> kept;
  std::size_t size = 0;

  void add(std::string_view part) {
    if (size < kept.size()) kept[size] = part;
    ++size;
  }
};

Parts split(std::string_view text, char separator, bool escapes) {
  Parts parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escapes && text[i] == '\\') {
      ++i;
    } else if (text[i] == separator) {
      parts.add(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.add(text.substr(begin));
  return parts;
}

/// The wildcards at the ends of a value, and the literal between them.
struct Pattern {
  struct End {
    std::size_t single = 0;  // `?`
    bool many = false;       // `*`
    bool wild() const { return many || single > 0; }
  };
  End before;
  End after;
  std::string_view literal;
  bool wild() const { return before.wild() || after.wild(); }
};

/// A `?` or `*` at the end of `text` is a wildcard unless an odd run of backslashes escapes it.
bool ends_escaped(std::string_view text) {
  text.remove_suffix(1);
  const auto last = text.find_last_not_of('\\');
  return (text.size() - (last == std::string_view::npos ? 0 : last + 1)) % 2 == 1;
}

/// Splits a value that is neither ANY nor NA; the literal may still be malformed.
Pattern split_pattern(std::string_view value) {
  Pattern pattern;
  const auto take_front = [&] {
    const char c = value.front();
    value.remove_prefix(1);
    return c;
  };
  if (value.starts_with('*')) {
    pattern.before.many = true;
    take_front();
  } else {
    for (; value.starts_with('?'); take_front()) ++pattern.before.single;
  }
  if (value.ends_with('*') && !ends_escaped(value)) {
    pattern.after.many = true;
    value.remove_suffix(1);
  } else {
    for (; value.ends_with('?') && !ends_escaped(value); value.remove_suffix(1)) {
      ++pattern.after.single;
    }
  }
  pattern.literal = value;
  return pattern;
}

/// Says what is wrong with a value in the spelling of the formatted string.
std::optional<std::string_view> flaw_of(std::string_view value) {
  if (value == any || value == not_applicable) return std::nullopt;
  if (value.empty()) return "has an empty attribute";
  const Pattern pattern = split_pattern(value);
  const std::string_view literal = pattern.literal;
  // "**" and "?*" say nothing that "*" does not; "??" is any value of two characters.
  if (literal.empty() && (pattern.before.many || pattern.after.wild())) {
    return "has a value of wildcards alone";
  }
  if (literal == "\\-") return "has a hyphen for a value; it may mean nothing but NA";
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] == '\\') {
      if (++i == literal.size()) return "ends in a backslash";
      if (is_letter_or_digit(literal[i])) return "escapes a letter or digit";
    } else if (literal[i] == '*' || literal[i] == '?') {
      return "has a wildcard inside a value";
    } else if (!is_plain(literal[i])) {
      return "has punctuation that is not escaped";
    }
  }
  return std::nullopt;
}

/// One spelling for each value: `\.` and `\-` lose their backslash.
std::string canonical(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      out += value[i];
      continue;
    }
    ++i;
    if (!is_plain(value[i])) out += '\\';
    out += value[i];
  }
  return out;
}

std::optional<std::string_view> set_value(Cpe& cpe, CpeAttribute attribute,
                                          std::string_view value) {
  // Most values have nothing to escape.
  const bool plain = value != not_applicable && !value.empty() &&
                     std::all_of(value.begin(), value.end(), is_plain);
  if (plain || value == any) {
    cpe[attribute] = value;
    return std::nullopt;
  }
  if (const auto flaw = flaw_of(value)) return flaw;
  cpe[attribute] = canonical(value);
  return std::nullopt;
}

/// NISTIR 7695 §6.2.3.
std::optional<std::string_view> unbind_formatted_string(Cpe& cpe, std::string_view folded) {
  const Parts parts = split(folded, ':', true);
  if (parts.size != cpe_attributes) return "must have eleven attributes";
  for (std::size_t i = 0; i < parts.size; ++i) {
    const auto flaw = set_value(cpe, static_cast<CpeAttribute>(i), parts.kept[i]);
    if (flaw) return flaw;
  }
  return std::nullopt;
}

/// The formatted string's spelling of one component of a URI (NISTIR 7695 §6.1.3.2).
std::optional<std::string> from_uri(std::string_view component) {
  // The characters that have a percent code there; `.`, `-` and `_` are written as they are.
  constexpr std::string_view coded = "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~";
  if (component.empty()) return std::string(any);
  if (component == not_applicable) return std::string(not_applicable);
  std::string value;
  for (std::size_t i = 0; i < component.size(); ++i) {
    const char c = component[i];
    if (is_plain(c)) {
      value += c;
      continue;
    }
    if (c == '~') {
      value += "\\~";
      continue;
    }
    if (c != '%') return std::nullopt;
    const auto bytes = from_hex(component.substr(i + 1, 2));
    if (!bytes || bytes->size() != 1) return std::nullopt;
    i += 2;
    const char decoded = bytes->front();
    if (decoded == '\x01') {
      value += '?';
    } else if (decoded == '\x02') {
      value += '*';
    } else if (coded.find(decoded) != std::string_view::npos) {
      value.append("\\").append(1, decoded);
    } else {
      return std::nullopt;
    }
  }
  // A component of "%02" alone would read as ANY, which is written as nothing.
  if (value == any) return std::nullopt;
  return value;
}

constexpr CpeAttribute packed[] = {CpeAttribute::edition, CpeAttribute::sw_edition,
                                   CpeAttribute::target_sw, CpeAttribute::target_hw,
                                   CpeAttribute::other};

std::optional<std::string_view> set_from_uri(Cpe& cpe, CpeAttribute attribute,
                                             std::string_view component) {
  const auto value = from_uri(component);
  if (!value) return "has an illegal character or percent code";
  return set_value(cpe, attribute, *value);
}

/// NISTIR 7695 §6.1.3.
std::optional<std::string_view> unbind_uri(Cpe& cpe, std::string_view folded) {
  const Parts components = split(folded, ':', false);
  if (components.size > uri_components_max) return "has more than seven components";
  for (std::size_t i = 0; i < components.size; ++i) {
    const auto attribute = static_cast<CpeAttribute>(i);
    const std::string_view component = components.kept[i];
    if (attribute != CpeAttribute::edition || !component.starts_with('~')) {
      if (const auto flaw = set_from_uri(cpe, attribute, component)) return flaw;
      continue;
    }
    const Parts pack = split(component.substr(1), '~', false);
    if (pack.size != std::size(packed)) return "has a packed edition that is not of five parts";
    for (std::size_t k = 0; k < pack.size; ++k) {
      if (const auto flaw = set_from_uri(cpe, packed[k], pack.kept[k])) return flaw;
    }
  }
  return std::nullopt;
}

/// NISTIR 7695 §6.1.2.
std::string to_uri(std::string_view value) {
  if (value == any) return {};
  if (value == not_applicable) return std::string(not_applicable);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') {
      static constexpr char digits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(value[++i]);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 0xF];
    } else if (value[i] == '?') {
      out += "%01";
    } else if (value[i] == '*') {
      out += "%02";
    } else {
      out += value[i];
    }
  }
  return out;
}

/// Whether a value with wildcards stands for a literal one.
bool covers(const Pattern& pattern, std::string_view target) {
  const std::string literal = unescape_cpe_value(pattern.literal);
  const std::string text = unescape_cpe_value(target);
  if (text.size() < literal.size() + pattern.before.single + pattern.after.single) return false;
  const std::size_t last = text.size() - literal.size() - pattern.after.single;
  const std::size_t first = pattern.after.many ? pattern.before.single : last;
  const std::size_t end = pattern.before.many ? last : pattern.before.single;
  for (std::size_t at = first; at <= end; ++at) {
    if (text.compare(at, literal.size(), literal) == 0) return true;
  }
  return false;
}

}  // namespace

bool is_literal_cpe_value(std::string_view value) {
  return value != any && value != not_applicable && !split_pattern(value).wild();
}

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

std::string unescape_cpe_value(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    out += value[i];
  }
  return out;
}

std::string make_cpe(std::string_view vendor, std::string_view product, std::string_view version) {
  std::string text("cpe:2.3:a:");
  text.append(vendor).append(":").append(product).append(":");
  text.append(version.empty() ? any : version).append(":*:*:*:*:*:*:*");
  return text;
}

Result<Cpe> unbind_cpe(std::string_view text) {
  text = trim(text);
  if (text.size() > limits::cpe_bytes) return bad_cpe("is too long");
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7F) return bad_cpe("must be printable ASCII without spaces");
  }
  std::array<char, limits::cpe_bytes> folded;
  std::transform(text.begin(), text.end(), folded.begin(), ascii_lower);
  const std::string_view view(folded.data(), text.size());
  // The result itself, since a name is eleven texts to move.
  Result<Cpe> unbound{Cpe()};
  Cpe& cpe = *unbound;
  std::optional<std::string_view> flaw;
  if (view.starts_with(formatted_prefix)) {
    flaw = unbind_formatted_string(cpe, view.substr(formatted_prefix.size()));
  } else if (view.starts_with(uri_prefix)) {
    flaw = unbind_uri(cpe, view.substr(uri_prefix.size()));
  } else {
    flaw = "must begin with cpe:2.3: or cpe:/";
  }
  if (flaw) return bad_cpe(*flaw);
  const std::string& part = cpe[CpeAttribute::part];
  if (part != "a" && part != "o" && part != "h" && part != any && part != not_applicable) {
    return bad_cpe("part must be a, o or h");
  }
  return unbound;
}

Result<Cpe> parse_cpe(std::string_view text) {
  Result<Cpe> unbound = unbind_cpe(text);
  if (!unbound.ok()) return unbound;
  const Cpe& cpe = *unbound;
  if (!is_literal_cpe_value(cpe[CpeAttribute::part])) return bad_cpe("part must be a, o or h");
  if (!is_literal_cpe_value(cpe[CpeAttribute::vendor])) return bad_cpe("vendor must name a vendor");
  if (!is_literal_cpe_value(cpe[CpeAttribute::product])) {
    return bad_cpe("product must name a product");
  }
  return unbound;
}

std::string bind_to_formatted_string(const Cpe& cpe) {
  std::string text = "cpe:2.3";
  for (const std::string& value : cpe.values) text.append(":").append(value);
  return text;
}

std::string bind_to_uri(const Cpe& cpe) {
  std::string text(uri_prefix);
  for (std::size_t i = 0; i < uri_components_max; ++i) {
    const auto attribute = static_cast<CpeAttribute>(i);
    const bool extended = std::any_of(std::begin(packed) + 1, std::end(packed),
                                      [&](CpeAttribute each) { return cpe[each] != any; });
    if (attribute == CpeAttribute::edition && extended) {
      for (const CpeAttribute each : packed) text.append("~").append(to_uri(cpe[each]));
    } else {
      text += to_uri(cpe[attribute]);
    }
    text += ':';
  }
  text.resize(text.find_last_not_of(':') + 1);
  // Of a name that says nothing, the colon of the prefix is left.
  return text.size() < uri_prefix.size() ? std::string(uri_prefix) : text;
}

CpeRelation relate_cpe_values(std::string_view source, std::string_view target) {
  const bool literal_target = is_literal_cpe_value(target);
  if (!literal_target && target != any && target != not_applicable) return CpeRelation::undefined;
  if (source == target) return CpeRelation::equal;
  if (source == any) return CpeRelation::superset;
  if (target == any) return CpeRelation::subset;
  if (source == not_applicable || target == not_applicable) return CpeRelation::disjoint;
  const Pattern pattern = split_pattern(source);
  return pattern.wild() && covers(pattern, target) ? CpeRelation::superset : CpeRelation::disjoint;
}

CpeRelation relate_cpe_names(const Cpe& source, const Cpe& target) {
  bool subset = true;
  bool superset = true;
  bool defined = true;
  for (std::size_t i = 0; i < cpe_attributes; ++i) {
    switch (relate_cpe_values(source.values[i], target.values[i])) {
      case CpeRelation::disjoint:
        return CpeRelation::disjoint;
      case CpeRelation::equal:
        break;
      case CpeRelation::subset:
        superset = false;
        break;
      case CpeRelation::superset:
        subset = false;
        break;
      case CpeRelation::undefined:
        defined = false;
        break;
    }
  }
  if (!defined || (!subset && !superset)) return CpeRelation::undefined;
  if (subset && superset) return CpeRelation::equal;
  return subset ? CpeRelation::subset : CpeRelation::superset;
}

}  // namespace muster::model
