// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/sha256.h"

namespace muster::crypto {

/// HMAC-SHA256 (RFC 2104).
Sha256 hmac_sha256(std::string_view key, std::string_view message);

}  // namespace muster::crypto
