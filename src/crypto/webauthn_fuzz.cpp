// SPDX-License-Identifier: Apache-2.0
// Any bytes as each of the things that a browser sends of a passkey, the first of them choosing
// which: what is taken keeps to its bounds and views the input.
#include "crypto/webauthn.h"

#include "base/check.h"
#include "base/limits.h"

namespace {

using namespace muster;

void check_statement(std::string_view input) {
  const auto statement = crypto::decode_authenticator_data(input);
  if (!statement) return;
  CHECK(statement->backup_eligible || !statement->backed_up);
  if (!statement->credential) return;
  const crypto::AttestedCredential& credential = *statement->credential;
  CHECK(!credential.id.empty() && credential.id.size() <= limits::credential_id_bytes);
  CHECK(credential.public_key.data() > input.data());
  CHECK(credential.public_key.data() + credential.public_key.size() <= input.data() + input.size());
  const auto again = parse_cbor(credential.public_key);
  CHECK(again && crypto::decode_cose_key(*again));
  CHECK(!crypto::verify(input, input, credential.key));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 4) {
    case 0:
      check_statement(input);
      break;
    case 1:
      if (const auto data = crypto::decode_attestation_object(input)) check_statement(*data);
      break;
    case 2:
      if (const auto client = crypto::decode_client_data(input)) {
        CHECK(client->challenge.size() < input.size());
      }
      break;
    default:
      if (const auto party = crypto::relying_party_of(input)) {
        CHECK(crypto::relying_party_of(party->origin)->id == party->id);
        CHECK(crypto::relying_party_of(party->origin)->origin == party->origin);
      }
  }
  return 0;
}
