// SPDX-License-Identifier: Apache-2.0
// Any bytes: content is refused, or gives no more than the bound; and what has no magic number
// comes back as it was.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "feeds/decompress.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  constexpr std::size_t bytes_max = 1 << 16;
  const std::string content(reinterpret_cast<const char*>(bytes), size);
  const auto text = feeds::decompress(content, bytes_max);
  if (!text.ok()) return 0;
  CHECK(text->size() <= bytes_max);
  const bool plain = !content.starts_with("\x1f\x8b") && !content.starts_with("\x28\xb5\x2f\xfd") &&
                     !content.starts_with("PK\x03\x04");
  if (plain) CHECK(*text == content);
  return 0;
}
