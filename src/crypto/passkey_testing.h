// SPDX-License-Identifier: Apache-2.0
// For tests only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/cbor_testing.h"
#include "crypto/base64url.h"
#include "crypto/sha256.h"
#include "crypto/signing.h"
#include "crypto/webauthn.h"

namespace muster::crypto {

/// An authenticator and its browser: makes a passkey with an Ed25519 key for a server, and proves
/// it. What a test changes of it, it says to be so.
class TestPasskey {
 public:
  explicit TestPasskey(std::uint8_t number = 1, std::string rp_id = "muster.example.org")
      : id("passkey " + std::to_string(number)),
        origin("https://" + rp_id),
        rp_id_(std::move(rp_id)),
        number_(number) {}

  std::string id;
  std::string origin;
  std::uint8_t flags = user_present | user_verified;
  std::uint32_t sign_count = 0;
  std::string more_members;  // of the client data, from the comma on

  static constexpr std::uint8_t user_present = 0x01, user_verified = 0x04, backup_eligible = 0x08,
                                backed_up = 0x10, attested = 0x40, extended = 0x80;

  std::string client_data(std::string_view type, std::string_view challenge) const {
    return R"({"type":")" + std::string(type) + R"(","challenge":")" + to_base64url(challenge) +
           R"(","origin":")" + origin + "\"" + more_members + "}";
  }
  /// With the credential in it.
  std::string attested_data() const {
    const std::string aaguid(16, '\0');
    const std::string size{static_cast<char>(id.size() >> 8U), static_cast<char>(id.size())};
    return head(flags | attested) + aaguid + size + id + cose_key();
  }
  std::string attestation_object(std::string_view format = "none") const {
    return cbor::map({{cbor::text("fmt"), cbor::text(format)},
                      {cbor::text("attStmt"), cbor::map({})},
                      {cbor::text("authData"), cbor::octets(attested_data())}});
  }
  std::string authenticator_data() const { return head(flags); }
  std::string sign(std::string_view authenticator_data, std::string_view client_data) const {
    const Signature made = key().sign(signed_content(authenticator_data, client_data));
    return {reinterpret_cast<const char*>(made.data()), made.size()};
  }
  std::string cose_key() const {
    const PublicKey key = this->key().public_key();
    return cbor::map({{cbor::integer(1), cbor::integer(1)},
                      {cbor::integer(3), cbor::integer(-8)},
                      {cbor::integer(-1), cbor::integer(6)},
                      {cbor::integer(-2),
                       cbor::octets({reinterpret_cast<const char*>(key.data()), key.size()})}});
  }

 private:
  SigningKey key() const {
    SigningKey::Seed seed{};
    seed.front() = number_;
    return SigningKey(seed);
  }
  std::string head(unsigned with_flags) const {
    std::string out(sha256(rp_id_).octets());
    out += static_cast<char>(with_flags);
    for (unsigned shift = 32; shift > 0; shift -= 8) {
      out += static_cast<char>(sign_count >> (shift - 8));
    }
    return out;
  }

  std::string rp_id_;
  std::uint8_t number_;
};

}  // namespace muster::crypto
