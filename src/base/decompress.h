// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster {

/// gzip is RFC 1952, zstd is RFC 8878.
enum class Compression : std::uint8_t { gzip, zstd };

struct DecompressLimits {
  std::size_t bytes_max;             // of the content
  int zstd_window_log_max;           // of a frame: the memory that it may ask for
  bool several_gzip_members = true;  // else one and nothing behind it
};

/// The content of `compressed`, which must be whole members or frames and nothing else. Fails with
/// body_too_large beyond the bound, at once where a frame says so itself, and with invalid_encoding
/// ("damaged", "cut off") for anything that is not whole. Memory grows with the content, so a bomb
/// costs no more than `bytes_max` and a window.
Result<std::string> decompress(Compression compression, std::string_view compressed,
                               const DecompressLimits& limits);

}  // namespace muster
