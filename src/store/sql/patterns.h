// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace muster::store {

/// A pattern of `lower(column) LIKE $1 ESCAPE '!'` that finds the text anywhere, ASCII letters in
/// any case. Nothing of nothing.
std::optional<std::string> anywhere(const std::optional<std::string>& text);

}  // namespace muster::store
