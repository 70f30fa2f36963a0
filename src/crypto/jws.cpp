// SPDX-License-Identifier: Apache-2.0
#include "crypto/jws.h"

#include <memory>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>

#include "base/check.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "crypto/base64url.h"

namespace muster::crypto {

namespace {

constexpr std::size_t number_bytes = 32;  // of P-256

/// Absent is empty; nothing for what is no text of at most `bytes_max`.
std::optional<std::string> text_of(const Json& object, std::string_view name,
                                   std::size_t bytes_max) {
  const auto found = object.find(name);
  if (!found) return std::string();
  const auto text = found->string();
  if (!text || text->size() > bytes_max) return std::nullopt;
  return std::string(*text);
}

std::optional<CoseAlgorithm> algorithm_of(std::string_view name) {
  if (name == "RS256") return CoseAlgorithm::rs256;
  if (name == "ES256") return CoseAlgorithm::es256;
  return std::nullopt;
}

/// R and S as they stand in a JWS (RFC 7518 §3.4), as ASN.1 has them (RFC 3279 §2.2.3); empty for
/// what has another length, which is no signature.
std::string der_of(std::string_view numbers) {
  if (numbers.size() != 2 * number_bytes) return {};
  const auto* octets = reinterpret_cast<const unsigned char*>(numbers.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(ECDSA_SIG_new(),
                                                                        ECDSA_SIG_free);
  BIGNUM* r = BN_bin2bn(octets, number_bytes, nullptr);
  BIGNUM* s = BN_bin2bn(octets + number_bytes, number_bytes, nullptr);
  CHECK(signature && r != nullptr && s != nullptr);
  CHECK(ECDSA_SIG_set0(signature.get(), r, s) == 1);  // which owns them now
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  CHECK(size > 0);
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

/// The octets of a required member.
std::string octets_of(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  const auto text = found ? found->string() : std::nullopt;
  return text ? from_base64url(*text).value_or("") : std::string();
}

/// A member that, where it is, must say this.
bool says_nothing_else(const Json& object, std::string_view name, std::string_view expected) {
  const auto found = object.find(name);
  return !found || found->string() == expected;
}

std::optional<Jwk> decode_jwk(const Json& object) {
  const auto type = text_of(object, "kty", limits::jws_key_id_bytes);
  auto id = text_of(object, "kid", limits::jws_key_id_bytes);
  if (!type || !id || !says_nothing_else(object, "use", "sig")) return std::nullopt;
  Jwk jwk{*std::move(id), {}};
  if (type == "RSA" && says_nothing_else(object, "alg", "RS256")) {
    jwk.key = {CoseAlgorithm::rs256, octets_of(object, "n"), octets_of(object, "e")};
  } else if (type == "EC" && says_nothing_else(object, "alg", "ES256") &&
             text_of(object, "crv", limits::jws_key_id_bytes) == "P-256") {
    jwk.key = {CoseAlgorithm::es256, octets_of(object, "x"), octets_of(object, "y")};
  } else {
    return std::nullopt;
  }
  if (!is_key(jwk.key)) return std::nullopt;
  return jwk;
}

}  // namespace

std::optional<Jws> decode_jws(std::string_view compact) {
  const auto first = compact.find('.');
  const auto last = compact.rfind('.');
  if (compact.size() > limits::jws_bytes || first == std::string_view::npos || first == last ||
      compact.find('.', first + 1) != last) {
    return std::nullopt;
  }
  const auto header = from_base64url(compact.substr(0, first));
  auto payload = from_base64url(compact.substr(first + 1, last - first - 1));
  auto signature = from_base64url(compact.substr(last + 1));
  if (!header || !payload || !signature) return std::nullopt;
  JsonDocument document;
  const auto json = document.parse(*header);
  if (!json.ok() || !json->is_object() || json->find("crit")) return std::nullopt;
  const auto name = text_of(*json, "alg", limits::jws_key_id_bytes);
  auto key_id = text_of(*json, "kid", limits::jws_key_id_bytes);
  const auto algorithm = name ? algorithm_of(*name) : std::nullopt;
  if (!algorithm || !key_id) return std::nullopt;
  return Jws{*algorithm, *std::move(key_id), compact.substr(0, last), *std::move(payload),
             *std::move(signature)};
}

bool verify(const Jws& jws, const CoseKey& key) {
  if (key.algorithm != jws.algorithm) return false;
  if (key.algorithm != CoseAlgorithm::es256) return verify(jws.signed_text, jws.signature, key);
  const std::string signature = der_of(jws.signature);
  return !signature.empty() && verify(jws.signed_text, signature, key);
}

std::optional<std::vector<Jwk>> decode_jwk_set(std::string_view json) {
  JsonDocument document;
  const auto set = document.parse(json);
  const auto keys = set.ok() ? set->find("keys") : std::nullopt;
  if (!keys || !keys->is_array() || keys->size() > limits::jwk_set_keys) return std::nullopt;
  std::vector<Jwk> out;
  keys->for_each([&](const Json& each) {
    if (auto jwk = decode_jwk(each)) out.push_back(*std::move(jwk));
  });
  return out;
}

}  // namespace muster::crypto
