// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.h"

#include <sodium.h>

#include <array>
#include <new>

namespace muster::crypto {

std::string hash_password(std::string_view password) {
  std::array<char, crypto_pwhash_argon2id_STRBYTES> text{};
  if (crypto_pwhash_argon2id_str(text.data(), password.data(), password.size(),
                                 crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
                                 crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE) != 0) {
    throw std::bad_alloc();
  }
  return text.data();
}

bool verify_password(const std::string& hash, std::string_view password) {
  return crypto_pwhash_argon2id_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

}  // namespace muster::crypto
