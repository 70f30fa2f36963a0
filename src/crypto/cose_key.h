// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/cbor.h"

namespace muster::crypto {

/// How a passkey signs, under its number in COSE (RFC 9053 §2, RFC 8812 §2).
enum class CoseAlgorithm : std::int16_t {
  es256 = -7,    // ECDSA on P-256 with SHA-256, the signature in DER (WebAuthn Level 3 §6.5.5)
  eddsa = -8,    // Ed25519
  rs256 = -257,  // RSASSA-PKCS1-v1_5 with SHA-256, 2048 to 4096 bits
};
/// In the order that they are offered to authenticators.
inline constexpr CoseAlgorithm cose_algorithms[] = {CoseAlgorithm::es256, CoseAlgorithm::eddsa,
                                                    CoseAlgorithm::rs256};

/// A public key for one of them: of a passkey, or of who signs tokens (crypto/jws.h).
struct CoseKey {
  CoseAlgorithm algorithm = CoseAlgorithm::es256;
  std::string first;   // es256: x; eddsa: the key; rs256: the modulus
  std::string second;  // es256: y; rs256: the exponent
};

/// Whether it is one that its algorithm takes: not for a point that is not on the curve or in a
/// small group, a modulus of another size, an exponent that is none.
bool is_key(const CoseKey& key);

/// A COSE_Key (RFC 9052 §7, RFC 9053 §7, RFC 8230 §4) of one of `cose_algorithms`, with the members
/// that its kind has and no others. Nothing for any other key, and for one that is_key() refuses.
std::optional<CoseKey> decode_cose_key(const Cbor& value);

/// Whether `signature` is the key's over `message`. False for what has not the form of a signature.
bool verify(std::string_view message, std::string_view signature, const CoseKey& key);

}  // namespace muster::crypto
