// SPDX-License-Identifier: Apache-2.0
#include "feeds/json_values.h"

namespace muster::feeds {

namespace {

/// Where the string that begins at `at` ends, one past its quote; the end of `text` if nowhere.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  ++at;
  while (at < text.size()) {
    at = text.find_first_of("\"\\", at);
    if (at == std::string_view::npos) return text.size();
    if (text[at] == '"') return at + 1;
    at += 2;
  }
  return text.size();
}

}  // namespace

std::optional<std::string_view> take_json_value(std::string_view& text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  std::size_t depth = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) break;
    // Outside every bracket only a bracket can begin a record: the line is left to the parser.
    if (depth == 0 && c == '\n') break;
  }
  const std::string_view value = text.substr(0, at);
  text.remove_prefix(at);
  return value;
}

}  // namespace muster::feeds
