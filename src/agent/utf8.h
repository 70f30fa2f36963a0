// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace muster::agent {

/// `bytes` as valid UTF-8: each byte that belongs to no character becomes U+FFFD. Output of
/// commands is bytes, JSON is text.
std::string to_utf8(std::string_view bytes);

}  // namespace muster::agent
