// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/cose_key.h"
#include "crypto/sha256.h"

/// What browsers and authenticators say of passkeys (W3C Web Authentication, Level 3), as values.
/// Whom to believe is fleet/passkeys.h.
namespace muster::crypto {

/// Under which name and at which address browsers see a server.
struct RelyingParty {
  std::string id;      // "muster.example.org"
  std::string origin;  // "https://muster.example.org:8443", as RFC 6454 writes it
};
/// Of a server whose address is `url`. Browsers let passkeys be made for host names over https, and
/// for localhost; so nothing for an IP address and for http, but an address on loopback is that of
/// localhost.
std::optional<RelyingParty> relying_party_of(std::string_view url);

/// A passkey as an authenticator makes it (§6.5.1).
struct AttestedCredential {
  std::string_view id;          // 1 to limits::credential_id_bytes octets
  std::string_view public_key;  // COSE_Key, as it was written
  CoseKey key;
};
/// §6.1. Views what was read.
struct AuthenticatorStatement {
  Sha256 rp_id_hash;
  bool user_present = false;
  bool user_verified = false;
  bool backup_eligible = false;
  bool backed_up = false;  // never without backup_eligible
  std::uint32_t sign_count = 0;
  std::optional<AttestedCredential> credential;
};
/// Nothing for what has another form, also behind the end: extensions must be a map.
std::optional<AuthenticatorStatement> decode_authenticator_data(std::string_view bytes);

/// The authenticator data in an attestation object (§6.5.4). Its format must be there and have a
/// statement, which is not judged: no server that asks for the conveyance "none" learns from it.
/// Nothing for what has another form.
std::optional<std::string_view> decode_attestation_object(std::string_view bytes);

/// What the browser says of the ceremony (§5.8.1).
struct Ceremony {
  std::string type;       // "webauthn.create", "webauthn.get"
  std::string challenge;  // the octets themselves
  std::string origin;
  bool cross_origin = false;  // asked for in a frame of another site
};
/// Nothing for what is no such JSON; members that are not known are passed over.
std::optional<Ceremony> decode_client_data(std::string_view json);

/// What an authenticator signs in an assertion (§6.3.3).
std::string signed_content(std::string_view authenticator_data, std::string_view client_data);

}  // namespace muster::crypto
