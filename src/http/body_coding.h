// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/decompress.h"

namespace muster::http {

/// The compressed form of a body by its name in Content-Encoding (RFC 9110 §8.4.1, RFC 8878 §6.2),
/// in any case; nothing for others.
std::optional<Compression> parse_coding(std::string_view name);

/// The body in at most `bytes_max` bytes: gzip as one whole member, zstd as whole frames whose
/// windows are no larger than limits::zstd_body_window_log. Fails as decompress() (base) does, with
/// the words of the wire.
Result<std::string> decode_body(Compression coding, std::string_view body, std::size_t bytes_max);

}  // namespace muster::http
