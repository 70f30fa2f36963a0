// SPDX-License-Identifier: Apache-2.0
#include "feeds/json_members.h"

#include <algorithm>

#include "base/text.h"
#include "feeds/plain.h"

namespace muster::feeds {

std::string_view text_of(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  return value ? value->string().value_or("") : std::string_view();
}

std::string line_of(const Json& object, std::string_view member, std::size_t bytes_max) {
  return plain_line(trim(text_of(object, member)), bytes_max);
}

std::optional<Json> object_of(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  return value && value->is_object() ? value : std::nullopt;
}

Result<OpenObject> OpenObject::open(std::string_view text) {
  auto pieces = text.starts_with('{') ? split_json(text) : std::nullopt;
  if (!pieces) return Error{Errc::invalid_json, "The report is not JSON."};
  OpenObject object;
  object.pieces_ = std::move(*pieces);
  return object;
}

std::string_view OpenObject::member(std::string_view key) const {
  const auto found = std::find_if(pieces_.begin(), pieces_.end(),
                                  [&](const JsonPiece& piece) { return piece.key == key; });
  return found == pieces_.end() ? std::string_view() : found->value;
}

Result<Json> OpenObject::without(std::initializer_list<std::string_view> large,
                                 JsonDocument& document) const {
  std::string text = "{";
  for (const JsonPiece& piece : pieces_) {
    if (text.size() > 1) text += ',';
    text.append("\"").append(piece.key).append("\":");
    const bool left_out = std::find(large.begin(), large.end(), piece.key) != large.end();
    text += left_out ? std::string_view("null") : piece.value;
  }
  text += '}';
  return document.parse(text);
}

Result<std::vector<JsonPiece>> elements_of(std::string_view member) {
  if (!is_list(member)) return std::vector<JsonPiece>();
  auto elements = split_json(member);
  if (!elements) return Error{Errc::invalid_json, "A list in the report is not JSON."};
  return std::move(*elements);
}

bool is_list(std::string_view member) {
  return member.starts_with('[');
}

}  // namespace muster::feeds
