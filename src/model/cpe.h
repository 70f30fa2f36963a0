// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::model {

/// The attributes of a CPE name in the order of the formatted string (NISTIR 7695 §6.2).
enum class CpeAttribute : std::uint8_t {
  part,
  vendor,
  product,
  version,
  update,
  edition,
  language,
  sw_edition,
  target_sw,
  target_hw,
  other,
};
inline constexpr std::size_t cpe_attributes = 11;

/// A well-formed CPE name (NISTIR 7695 §5). A value is spelled as the formatted string spells it:
/// "*" is ANY, "-" is NA, anything else a folded text in which all but letters, digits, `.`, `-`
/// and `_` is escaped ("notepad\+\+") and unescaped `*` and `?` at its ends are wildcards. Every
/// value has one spelling, so equal names have equal members.
struct Cpe {
  std::array<std::string, cpe_attributes> values;

  Cpe() { values.fill("*"); }
  std::string& operator[](CpeAttribute attribute) {
    return values[static_cast<std::size_t>(attribute)];
  }
  const std::string& operator[](CpeAttribute attribute) const {
    return values[static_cast<std::size_t>(attribute)];
  }
  friend bool operator==(const Cpe&, const Cpe&) = default;
};

/// Unbinds a CPE 2.3 formatted string of all eleven attributes or a CPE 2.2 URI of up to seven,
/// with a packed edition or without (NISTIR 7695 §6.1.3, §6.2.3), in any case of letters. Fails
/// with invalid_field for anything that no name binds to: wildcards inside a value, unescaped
/// punctuation, illegal percent codes, a pack of the wrong length, an unknown part.
Result<Cpe> unbind_cpe(std::string_view text);

/// As unbind_cpe, for a name that must point at a product: part, vendor and product may be neither
/// ANY nor NA nor have wildcards.
Result<Cpe> parse_cpe(std::string_view text);

/// The CPE 2.3 formatted string. unbind_cpe() gives the name back.
std::string bind_to_formatted_string(const Cpe& cpe);
/// The CPE 2.2 URI; attributes beyond the seven go into a packed edition. unbind_cpe() gives the
/// name back.
std::string bind_to_uri(const Cpe& cpe);

/// Neither ANY, NA nor with wildcards.
bool is_literal_cpe_value(std::string_view value);

/// An attribute's value for a text of the world: folded, spaces and tabs as `_`, and what is
/// neither letter, digit, `.`, `-` nor `_` escaped. A byte that is no printable ASCII has no
/// spelling in CPE; the value is then one that unbind_cpe() refuses.
std::string escape_cpe_value(std::string_view value);
/// The text that a value spells: "7.2\(3\)6" -> "7.2(3)6".
std::string unescape_cpe_value(std::string_view value);

/// "cpe:2.3:a:vendor:product:version:*:*:*:*:*:*:*" from values already escaped; an empty version
/// becomes `*`.
std::string make_cpe(std::string_view vendor, std::string_view product, std::string_view version);

/// How the set of products that a source names stands to the target's (NISTIR 7696 §6).
enum class CpeRelation : std::uint8_t { disjoint, equal, subset, superset, undefined };

/// The relation of two values of one attribute (NISTIR 7696 table 6-2). Undefined for a target with
/// wildcards. `?` stands for exactly one character.
CpeRelation relate_cpe_values(std::string_view source, std::string_view target);
/// The relation of two names (NISTIR 7696 table 6-4).
CpeRelation relate_cpe_names(const Cpe& source, const Cpe& target);

}  // namespace muster::model
