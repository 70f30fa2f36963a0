// SPDX-License-Identifier: Apache-2.0
// Any bytes as a signature, and as a set of keys, the first of them choosing which: what is taken
// keeps to its bounds, views the input, and verifies nothing that nobody signed.
#include "crypto/jws.h"

#include "base/check.h"
#include "base/limits.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  // The generator of P-256, with which nobody signs.
  static const std::string generator =
      R"({"keys":[{"kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",)"
      R"("y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}]})";
  if (bytes[0] % 2 == 0) {
    const auto jws = crypto::decode_jws(input);
    if (!jws) return 0;
    CHECK(input.size() <= limits::jws_bytes);
    CHECK(jws->key_id.size() <= limits::jws_key_id_bytes);
    CHECK(jws->signed_text.data() == input.data() && jws->signed_text.size() < input.size());
    CHECK(jws->algorithm == crypto::CoseAlgorithm::es256 ||
          jws->algorithm == crypto::CoseAlgorithm::rs256);
    const auto keys = crypto::decode_jwk_set(generator);
    CHECK(keys && keys->size() == 1);
    CHECK(!crypto::verify(*jws, keys->front().key));
    return 0;
  }
  const auto keys = crypto::decode_jwk_set(input);
  if (!keys) return 0;
  CHECK(keys->size() <= limits::jwk_set_keys);
  for (const crypto::Jwk& each : *keys) CHECK(crypto::is_key(each.key));
  return 0;
}
