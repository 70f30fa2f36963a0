// SPDX-License-Identifier: Apache-2.0
#include "feeds/decompress.h"

#include "base/decompress.h"
#include "feeds/unzip.h"

namespace muster::feeds {

namespace {

constexpr int zstd_window_log_max = 27;

Error too_large(std::size_t bytes_max) {
  return {Errc::body_too_large,
          "The file is larger than " + std::to_string(bytes_max) + " bytes when decompressed."};
}

Result<std::string> decode(Compression compression, const std::string& content,
                           std::size_t bytes_max) {
  auto text = muster::decompress(compression, content, {bytes_max, zstd_window_log_max});
  if (text.ok()) return text;
  if (text.error().code == Errc::body_too_large) return too_large(bytes_max);
  const char* const format = compression == Compression::gzip ? "gzip" : "zstd";
  return Error{Errc::invalid_encoding,
               std::string("The ") + format + " file is " + text.error().message + "."};
}

}  // namespace

Result<std::string> decompress(std::string content, std::size_t bytes_max) {
  constexpr std::string_view gzip_magic = "\x1f\x8b";
  constexpr std::string_view zstd_magic = "\x28\xb5\x2f\xfd";
  if (content.starts_with(gzip_magic)) return decode(Compression::gzip, content, bytes_max);
  if (content.starts_with(zstd_magic)) return decode(Compression::zstd, content, bytes_max);
  if (is_zip(content)) return unzip_json(content, bytes_max);
  if (content.size() > bytes_max) return too_large(bytes_max);
  return content;
}

}  // namespace muster::feeds
