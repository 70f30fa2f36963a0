// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace muster::crypto {

/// Time-based one-time passwords as authenticator programs make them (RFC 6238): HMAC-SHA-1, six
/// digits, a step of 30 s.
std::int64_t totp_step(Instant now);
std::string totp_code(std::string_view secret, std::int64_t step);

/// The step that `code` is of: the present one, or one beside it for clocks that differ; later than
/// `after`, so that no code is good twice. Constant time in the code.
std::optional<std::int64_t> match_totp(std::string_view secret, std::string_view code, Instant now,
                                       std::int64_t after);

/// RFC 4648 §6, without padding, as those programs take secrets.
std::string encode_base32(std::string_view octets);

}  // namespace muster::crypto
