// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/types.h>

namespace muster::crypto {

/// A SHA-256 digest (FIPS 180-4): the name of a file on the wire.
struct Sha256 {
  std::array<std::uint8_t, 32> bytes{};

  friend auto operator<=>(const Sha256&, const Sha256&) = default;
  /// The 32 octets themselves: what releases are signed over.
  std::string_view octets() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// 64 lower-case hexadecimal digits.
  std::string text() const;
};

Sha256 sha256(std::string_view content);

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const;
};

/// The digest of content that comes in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  void add(std::string_view piece);
  /// Of all that was added; ends the stream.
  Sha256 finish();

 private:
  std::unique_ptr<EVP_MD_CTX, FreeDigestContext> context_;
};

/// Reads 64 hexadecimal digits in any case, nothing for any other text.
std::optional<Sha256> parse_sha256(std::string_view text);

}  // namespace muster::crypto
