// SPDX-License-Identifier: Apache-2.0
#include "crypto/base64url.h"

#include <sodium.h>

namespace muster::crypto {

namespace {

constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

}  // namespace

std::string to_base64url(std::string_view octets) {
  std::string text(sodium_base64_encoded_len(octets.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(octets.data()),
                    octets.size(), variant);
  text.resize(text.size() - 1);  // libsodium writes the terminating zero
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string octets(text.size(), '\0');
  std::size_t size = 0;
  const int failed =
      sodium_base642bin(reinterpret_cast<unsigned char*>(octets.data()), octets.size(), text.data(),
                        text.size(), nullptr, &size, nullptr, variant);
  if (failed != 0) return std::nullopt;
  octets.resize(size);
  return octets;
}

}  // namespace muster::crypto
