// SPDX-License-Identifier: Apache-2.0
// Any bytes as a compressed body, the first of them choosing the coding: never more than allowed
// comes out.
#include "http/body_coding.h"

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  constexpr std::size_t bytes_max = 100'000;
  if (size == 0) return 0;
  const auto coding = bytes[0] % 2 == 0 ? Compression::gzip : Compression::zstd;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const Result<std::string> text = http::decode_body(coding, input, bytes_max);
  CHECK(!text.ok() || text->size() <= bytes_max);
  return 0;
}
