// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::vuln {

/// The parts of a CPE name that identify a product. Texts are as in the formatted string: folded,
/// with punctuation escaped ("notepad\+\+").
struct Cpe {
  char part = 'a';  // application, operating system or hardware: 'a', 'o' or 'h'
  std::string vendor;
  std::string product;
  std::string version;  // "*" if any or unknown, "-" if none applies
  std::string text;     // the whole name as a 2.3 formatted string
};

/// Reads a CPE 2.3 formatted string of all eleven attributes, or a CPE 2.2 URI of up to seven
/// (NISTIR 7695 §6.1, §6.2); a URI's packed edition is kept whole. A reported name must point at
/// a product, so part, vendor and product may be no wildcard. Fails with invalid_field.
Result<Cpe> parse_cpe(std::string_view text);

/// An attribute's value as a formatted string has it: folded, whitespace as `_`, and what is
/// neither letter, digit, `.`, `-` nor `_` escaped.
std::string escape_cpe_value(std::string_view value);

/// "cpe:2.3:a:vendor:product:version:*:*:*:*:*:*:*" from values already escaped; an empty version
/// becomes `*`.
std::string make_cpe(std::string_view vendor, std::string_view product, std::string_view version);

}  // namespace muster::vuln
