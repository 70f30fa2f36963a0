// SPDX-License-Identifier: Apache-2.0
// Any bytes as a compressed body: never more than allowed comes out.
#include "http/gunzip.h"

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  constexpr std::size_t bytes_max = 100'000;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const Result<std::string> text = http::gunzip(input, bytes_max);
  CHECK(!text.ok() || text->size() <= bytes_max);
  return 0;
}
