// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace muster::feeds {

/// A publisher's text in one line of at most `bytes_max` bytes: it is shown in tables, and stored
/// as plain text, so controls become spaces.
std::string plain_line(std::string_view text, std::size_t bytes_max);

}  // namespace muster::feeds
