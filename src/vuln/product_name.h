// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace muster::vuln {

/// The words of a product's name that identify it, folded: without architecture, word size,
/// language, trademark signs and versions, but with years, which tell products apart. "Mozilla
/// Firefox 60.7.2 ESR (x86 en-US)" -> "mozilla firefox esr".
std::string normalise_product_name(std::string_view name);

/// A shorter form of a normalised name.
struct ShorterName {
  std::string name;
  bool cut;  // more went than an edition: the form must be long enough to stand for itself
};

/// What is left of a product's name without its edition ("Professional", "Community Edition") and
/// the system that it is for, and what stands before a dash, a version or "for"; longest first, all
/// normalised. "Acme Burner 7 Professional for Windows" -> "acme burner professional", "acme
/// burner".
std::vector<ShorterName> shorter_product_names(std::string_view name);

/// The words of a text, split at white space.
std::vector<std::string_view> words_of(std::string_view text);

}  // namespace muster::vuln
