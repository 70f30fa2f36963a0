// SPDX-License-Identifier: Apache-2.0
#include "feeds/json_values.h"

#include <algorithm>

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

void skip_space(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

bool take_char(std::string_view& text, char wanted) {
  skip_space(text);
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes a value of any kind off `text`; empty when none begins there.
std::string_view take_any_value(std::string_view& text) {
  skip_space(text);
  std::size_t end = 0;
  if (text.starts_with('"')) {
    end = end_of_string(text, 0);
  } else if (text.starts_with('{') || text.starts_with('[')) {
    return take_json_value(text).value_or("");
  } else {
    end = std::min(text.find_first_of(",:]}\" \t\r\n"), text.size());
  }
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(end);
  return value;
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

std::optional<std::vector<JsonPiece>> split_json(std::string_view text) {
  const bool object = take_char(text, '{');
  if (!object && !take_char(text, '[')) return std::nullopt;
  const char close = object ? '}' : ']';
  std::vector<JsonPiece> pieces;
  for (bool first = true; !take_char(text, close); first = false) {
    if (!first && !take_char(text, ',')) return std::nullopt;
    JsonPiece piece;
    if (object) {
      piece.key = take_any_value(text);
      if (piece.key.size() < 2 || piece.key.front() != '"') return std::nullopt;
      piece.key = piece.key.substr(1, piece.key.size() - 2);
      if (!take_char(text, ':')) return std::nullopt;
    }
    piece.value = take_any_value(text);
    if (piece.value.empty()) return std::nullopt;
    pieces.push_back(piece);
  }
  skip_space(text);
  if (!text.empty()) return std::nullopt;
  return pieces;
}

}  // namespace muster::feeds
