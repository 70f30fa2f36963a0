// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace muster::crypto {

/// base64 with the alphabet for addresses and without padding (RFC 4648 §5).
std::string to_base64url(std::string_view octets);
/// The octets, nothing for any other text.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace muster::crypto
