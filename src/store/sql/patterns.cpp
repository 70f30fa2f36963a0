// SPDX-License-Identifier: Apache-2.0
#include "store/sql/patterns.h"

#include "base/text.h"

namespace muster::store {

std::optional<std::string> anywhere(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::string pattern = "%";
  for (const char c : fold_case(*text)) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "%";
}

}  // namespace muster::store
