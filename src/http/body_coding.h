// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::http {

/// A compressed form of a body (RFC 9110 §8.4.1; RFC 8878 §6.2).
enum class Coding : std::uint8_t { gzip, zstd };

/// By the name in Content-Encoding, in any case; nothing for others.
std::optional<Coding> parse_coding(std::string_view name);

/// The body in at most `bytes_max` bytes: gzip as one whole member (RFC 1952), zstd as whole frames
/// (RFC 8878) whose windows are no larger than limits::zstd_body_window_log. Fails with
/// body_too_large beyond `bytes_max`, at once where the body says so itself, and with
/// invalid_encoding for anything that is not whole. Memory grows with the output, so a bomb costs
/// no more than `bytes_max` and a window.
Result<std::string> decompress(Coding coding, std::string_view body, std::size_t bytes_max);

}  // namespace muster::http
