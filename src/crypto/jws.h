// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/cose_key.h"

/// JSON Web Signatures by RS256 and ES256, and the keys for them: what OpenID Connect needs of
/// JOSE.
namespace muster::crypto {

/// A signature in its compact form (RFC 7515 §7.1), not yet verified.
struct Jws {
  CoseAlgorithm algorithm = CoseAlgorithm::es256;
  std::string key_id;            // empty: it names none
  std::string_view signed_text;  // views the input
  std::string payload;           // octets, decoded
  std::string signature;         // octets, as verify() below takes them
};
/// Nothing for what has another form, is longer than limits::jws_bytes, is by another algorithm
/// ("none" and those with a shared secret among them), or has header members that must be
/// understood
/// (`crit`, §4.1.11), of which we understand none.
std::optional<Jws> decode_jws(std::string_view compact);

/// Whether it is the key's. False for a key of another algorithm.
bool verify(const Jws& jws, const CoseKey& key);

/// A key of a set.
struct Jwk {
  std::string key_id;  // empty: it has none
  CoseKey key;
};
/// The keys of a JWK Set (RFC 7517 §5) that verify such signatures (RFC 7518 §6.2, §6.3); others
/// are left out, as §5 says, and so are those that is_key() refuses. Nothing for what is no set,
/// and for one of more than limits::jwk_set_keys.
std::optional<std::vector<Jwk>> decode_jwk_set(std::string_view json);

}  // namespace muster::crypto
