// SPDX-License-Identifier: Apache-2.0
#include "feeds/plain.h"

#include <algorithm>

#include "base/text.h"

namespace muster::feeds {

std::string plain_line(std::string_view text, std::size_t bytes_max) {
  std::string out(cut_utf8(text, bytes_max));
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return out;
}

}  // namespace muster::feeds
