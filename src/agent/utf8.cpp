// SPDX-License-Identifier: Apache-2.0
#include "agent/utf8.h"

#include "base/text.h"

namespace muster::agent {

std::string to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto lead = static_cast<unsigned char>(bytes.front());
    std::size_t length = 1;
    bool valid = lead < 0x80;
    // A character of two to four bytes; base's reader is the judge of each candidate.
    for (std::size_t size = 2; !valid && lead >= 0xC2 && size <= 4; ++size) {
      const std::string_view candidate = bytes.substr(0, size);
      if (candidate.size() == size && is_plain_text(candidate)) {
        valid = true;
        length = size;
      }
    }
    if (valid) {
      out.append(bytes.substr(0, length));
    } else {
      out += "\xEF\xBF\xBD";
    }
    bytes.remove_prefix(length);
  }
  return out;
}

}  // namespace muster::agent
