// SPDX-License-Identifier: Apache-2.0
// For tests only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "crypto/base64url.h"

namespace muster::crypto {

/// Who signs by ES256 with a key of P-256 that it makes: a provider of identities.
class TestSigner {
 public:
  explicit TestSigner(std::string name = "key 1")
      : key_id(std::move(name)), key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
    CHECK(key_ != nullptr);
  }

  std::string key_id;

  /// With a header of its own.
  std::string sign_under(std::string_view header, std::string_view payload) const {
    const std::string text = to_base64url(header) + "." + to_base64url(payload);
    return text + "." + to_base64url(signature_of(text));
  }
  std::string sign(std::string_view payload) const {
    return sign_under(R"({"alg":"ES256","kid":")" + key_id + R"("})", payload);
  }
  std::string jwk() const {
    return R"({"kty":"EC","crv":"P-256","use":"sig","kid":")" + key_id + R"(","x":")" +
           to_base64url(coordinate(OSSL_PKEY_PARAM_EC_PUB_X)) + R"(","y":")" +
           to_base64url(coordinate(OSSL_PKEY_PARAM_EC_PUB_Y)) + R"("})";
  }
  std::string jwk_set() const { return R"({"keys":[)" + jwk() + "]}"; }

 private:
  static constexpr int number_bytes = 32;

  static std::string padded(const BIGNUM* number) {
    std::string out(number_bytes, '\0');
    CHECK(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), number_bytes) ==
          number_bytes);
    return out;
  }
  std::string coordinate(const char* name) const {
    BIGNUM* number = nullptr;
    CHECK(EVP_PKEY_get_bn_param(key_.get(), name, &number) == 1);
    const std::unique_ptr<BIGNUM, decltype(&BN_free)> owned(number, BN_free);
    return padded(number);
  }
  std::string signature_of(std::string_view text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1);
    const auto* octets = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    CHECK(EVP_DigestSign(context.get(), nullptr, &size, octets, text.size()) == 1);
    std::string der(size, '\0');
    CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size, octets,
                         text.size()) == 1);
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> numbers(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
    CHECK(numbers != nullptr);
    return padded(ECDSA_SIG_get0_r(numbers.get())) + padded(ECDSA_SIG_get0_s(numbers.get()));
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

}  // namespace muster::crypto
