// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/json_read.h"

namespace muster::agent {

/// Drops the first line of `text` and returns it without its end.
std::string_view take_line(std::string_view& text);

/// Drops blanks and one word from the front of `text` and returns the word; empty at its end.
std::string_view take_word(std::string_view& text);

/// The text of a member; empty if there is none.
std::string_view text_of(const Json& object, std::string_view name);

}  // namespace muster::agent
