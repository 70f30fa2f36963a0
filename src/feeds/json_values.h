// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace muster::feeds {

/// Takes the first JSON value off `text` that begins with `{` or `[`, after white space and line
/// separators; nothing at the end, or the rest when the value does not end. It frames only: strings
/// and brackets are counted, and the value still has to be parsed. So one reader serves a file of
/// one document, of one document a line, and several files one after another.
std::optional<std::string_view> take_json_value(std::string_view& text);

/// A member of an object as it stands, its key without quotes, or an element of an array.
struct JsonPiece {
  std::string_view key;
  std::string_view value;
};

/// The pieces of the one object or array that `text` is, so that they can be parsed one after
/// another instead of all at once. Frames only, as take_json_value(); nothing for text of another
/// form.
std::optional<std::vector<JsonPiece>> split_json(std::string_view text);

}  // namespace muster::feeds
