// SPDX-License-Identifier: Apache-2.0
#include "crypto/cose_key.h"

#include <algorithm>
#include <array>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include "base/check.h"
#include "crypto/signing.h"

namespace muster::crypto {

namespace {

/// Labels of COSE_Key: those of every key (RFC 9052 §7.1), and of each kind (RFC 9053 §7).
namespace label {
constexpr std::int64_t type = 1, algorithm = 3;
constexpr std::int64_t curve = -1, x = -2, y = -3;
constexpr std::int64_t modulus = -1, exponent = -2;
}  // namespace label
constexpr std::int64_t type_okp = 1, type_ec2 = 2, type_rsa = 3;
constexpr std::int64_t curve_p256 = 1, curve_ed25519 = 6;

constexpr std::size_t coordinate_bytes = 32;
constexpr std::size_t modulus_bytes_min = 256;
constexpr std::size_t modulus_bytes_max = 512;
constexpr std::size_t exponent_bytes_max = 4;

using PublicKeyOf = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::int64_t> integer_at(const Cbor& key, std::int64_t at) {
  const Cbor* found = key.find(at);
  return found == nullptr ? std::nullopt : found->integer();
}

std::string octets_at(const Cbor& key, std::int64_t at) {
  const Cbor* found = key.find(at);
  return found == nullptr ? std::string() : std::string(found->octets().value_or(""));
}

/// What OpenSSL makes of the parameters; null if it is no key. Nothing is left in its error queue.
PublicKeyOf key_of(const char* kind, OSSL_PARAM_BLD& builder) {
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> params(
      OSSL_PARAM_BLD_to_param(&builder), OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr), EVP_PKEY_CTX_free);
  CHECK(params && context && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
  ERR_clear_error();
  return {key, EVP_PKEY_free};
}

using Builder = std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)>;

PublicKeyOf load_p256(const CoseKey& key) {
  const std::string point = "\x04" + key.first + key.second;  // uncompressed (SEC 1 §2.3.3)
  const Builder builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return key_of("EC", *builder);
}

PublicKeyOf load_rsa(const CoseKey& key) {
  const auto number = [](std::string_view bytes) {
    return Number(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr), BN_free);
  };
  const Number modulus = number(key.first), exponent = number(key.second);
  const Builder builder(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return key_of("RSA", *builder);
}

bool is_rsa_key(const CoseKey& key) {
  const bool sized = key.first.size() >= modulus_bytes_min &&
                     key.first.size() <= modulus_bytes_max && !key.second.empty() &&
                     key.second.size() <= exponent_bytes_max;
  if (!sized) return false;
  const auto high_bit = [](std::string_view bytes) { return (bytes.front() & 0x80) != 0; };
  const auto is_odd = [](std::string_view bytes) { return (bytes.back() & 1) != 0; };
  const bool shortest = key.first.front() != '\0' && key.second.front() != '\0';
  const bool long_enough = key.first.size() > modulus_bytes_min || high_bit(key.first);
  const bool sound = is_odd(key.first) && is_odd(key.second) && key.second != "\x01";
  return shortest && long_enough && sound && load_rsa(key);
}

std::optional<CoseKey> checked(CoseKey key) {
  if (!is_key(key)) return std::nullopt;
  return key;
}

std::optional<CoseKey> decode_p256(const Cbor& value) {
  if (integer_at(value, label::curve) != curve_p256) return std::nullopt;
  return checked({CoseAlgorithm::es256, octets_at(value, label::x), octets_at(value, label::y)});
}

std::optional<CoseKey> decode_ed25519(const Cbor& value) {
  if (integer_at(value, label::curve) != curve_ed25519) return std::nullopt;
  return checked({CoseAlgorithm::eddsa, octets_at(value, label::x), {}});
}

std::optional<CoseKey> decode_rsa(const Cbor& value) {
  return checked(
      {CoseAlgorithm::rs256, octets_at(value, label::modulus), octets_at(value, label::exponent)});
}

bool verify_digest(std::string_view message, std::string_view signature, const PublicKeyOf& key) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  const bool right =
      key && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                       message.size()) == 1;
  ERR_clear_error();
  return right;
}

bool verify_ed25519(std::string_view message, std::string_view signature, const CoseKey& key) {
  Signature of{};
  PublicKey by{};
  if (signature.size() != of.size() || key.first.size() != by.size()) return false;
  std::copy(signature.begin(), signature.end(), of.begin());
  std::copy(key.first.begin(), key.first.end(), by.begin());
  return verify(message, of, by);
}

}  // namespace

bool is_key(const CoseKey& key) {
  switch (key.algorithm) {
    case CoseAlgorithm::es256:
      return key.first.size() == coordinate_bytes && key.second.size() == coordinate_bytes &&
             load_p256(key);
    case CoseAlgorithm::eddsa:
      return key.first.size() == PublicKey{}.size() &&
             crypto_core_ed25519_is_valid_point(octets(key.first)) == 1;
    case CoseAlgorithm::rs256:
      return is_rsa_key(key);
  }
  return false;
}

std::optional<CoseKey> decode_cose_key(const Cbor& value) {
  const auto type = integer_at(value, label::type);
  const auto algorithm = integer_at(value, label::algorithm);
  const auto is = [&](std::int64_t kind, CoseAlgorithm of, std::size_t members) {
    return type == kind && algorithm == static_cast<std::int64_t>(of) &&
           value.items.size() == 2 * members;
  };
  if (is(type_ec2, CoseAlgorithm::es256, 5)) return decode_p256(value);
  if (is(type_okp, CoseAlgorithm::eddsa, 4)) return decode_ed25519(value);
  if (is(type_rsa, CoseAlgorithm::rs256, 4)) return decode_rsa(value);
  return std::nullopt;
}

bool verify(std::string_view message, std::string_view signature, const CoseKey& key) {
  switch (key.algorithm) {
    case CoseAlgorithm::es256:
      return verify_digest(message, signature, load_p256(key));
    case CoseAlgorithm::eddsa:
      return verify_ed25519(message, signature, key);
    case CoseAlgorithm::rs256:
      return verify_digest(message, signature, load_rsa(key));
  }
  return false;
}

}  // namespace muster::crypto
