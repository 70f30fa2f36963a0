// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_read.h"
#include "base/result.h"
#include "feeds/json_values.h"

/// Reports of scanners, read member by member: one of 100 MB is never parsed as a whole.
namespace muster::feeds {

/// A member that is text, in one line of at most `bytes_max` bytes; empty if it is something else.
std::string line_of(const Json& object, std::string_view member, std::size_t bytes_max);
/// A member that is text, as it is; empty if it is something else.
std::string_view text_of(const Json& object, std::string_view member);
/// A member that is an object, if it is one.
std::optional<Json> object_of(const Json& object, std::string_view member);

/// Calls `each` for the objects of a member that is a list.
template <typename F>
void for_each_object(const Json& object, std::string_view member, F&& each) {
  const auto list = object.find(member);
  if (!list || !list->is_array()) return;
  list->for_each([&](const Json& element) {
    if (element.is_object()) each(element);
  });
}

/// An object in pieces.
class OpenObject {
 public:
  /// Fails with invalid_json for text that is no object.
  static Result<OpenObject> open(std::string_view text);

  /// A member as it stands; empty if there is none.
  std::string_view member(std::string_view key) const;
  bool has(std::string_view key) const { return !member(key).empty(); }
  const std::vector<JsonPiece>& pieces() const { return pieces_; }
  /// Parses the object with null in the place of its `large` members, which are read apart.
  Result<Json> without(std::initializer_list<std::string_view> large, JsonDocument& document) const;

 private:
  std::vector<JsonPiece> pieces_;
};

/// Whether a member as it stands is a list.
bool is_list(std::string_view member);

/// The elements of a member that is a list, as they stand; none of another member. Fails with
/// invalid_json.
Result<std::vector<JsonPiece>> elements_of(std::string_view member);

}  // namespace muster::feeds
