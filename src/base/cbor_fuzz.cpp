// SPDX-License-Identifier: Apache-2.0
// Any bytes as CBOR: of the canonical form a value has one encoding, so what is taken is written as
// it was.
#include "base/cbor.h"

#include "base/cbor_testing.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  std::string_view rest = input;
  const auto value = take_cbor(rest);
  CHECK(value.has_value() || rest.size() == input.size());
  if (value) CHECK(cbor::encode(*value) == input.substr(0, size - rest.size()));
  CHECK(parse_cbor(input).has_value() == (value.has_value() && rest.empty()));
  return 0;
}
