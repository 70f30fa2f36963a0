// SPDX-License-Identifier: Apache-2.0
#include "crypto/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/check.h"

namespace muster::crypto {

Sha256 hmac_sha256(std::string_view key, std::string_view message) {
  Sha256 mac;
  unsigned size = 0;
  const auto* octets = reinterpret_cast<const unsigned char*>(message.data());
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets, message.size(),
             mac.bytes.data(), &size) != nullptr &&
        size == mac.bytes.size());
  return mac;
}

}  // namespace muster::crypto
