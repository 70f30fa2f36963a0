// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/texts.h"

#include <algorithm>

namespace muster::agent {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::string_view take_word(std::string_view& text) {
  const std::size_t start = text.find_first_not_of(" \t\n");
  if (start == std::string_view::npos) {
    text = {};
    return {};
  }
  const std::size_t end = std::min(text.find_first_of(" \t\n", start), text.size());
  const std::string_view word = text.substr(start, end - start);
  text.remove_prefix(end);
  return word;
}

std::string_view text_of(const Json& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->string().value_or("") : std::string_view();
}

}  // namespace muster::agent
