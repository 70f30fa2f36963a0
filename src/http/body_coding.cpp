// SPDX-License-Identifier: Apache-2.0
#include "http/body_coding.h"

#include "base/limits.h"
#include "base/text.h"

namespace muster::http {

std::optional<Compression> parse_coding(std::string_view name) {
  if (equal_folded(name, "gzip")) return Compression::gzip;
  if (equal_folded(name, "zstd")) return Compression::zstd;
  return std::nullopt;
}

Result<std::string> decode_body(Compression coding, std::string_view body, std::size_t bytes_max) {
  auto content = decompress(coding, body, {bytes_max, limits::zstd_body_window_log, false});
  if (content.ok()) return content;
  if (content.error().code == Errc::body_too_large) {
    return Error{Errc::body_too_large, "Decompressed payload too large"};
  }
  return Error{Errc::invalid_encoding,
               coding == Compression::gzip ? "Invalid gzip payload" : "Invalid zstd payload"};
}

}  // namespace muster::http
