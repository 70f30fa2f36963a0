// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

/// What a scanner says of a vulnerability (shown in a table, and stored with each finding), and a
/// container scan once decompressed.
namespace muster::limits {
inline constexpr std::size_t title_bytes = 300;
inline constexpr std::size_t url_bytes = 500;
inline constexpr std::size_t scan_text_bytes = 128 * 1024 * 1024;
}
