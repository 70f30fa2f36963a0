// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256.h"

#include <cstring>
#include <memory>

#include <openssl/evp.h>

#include "base/check.h"
#include "base/text.h"

namespace muster::crypto {

void FreeDigestContext::operator()(EVP_MD_CTX* context) const {
  EVP_MD_CTX_free(context);
}

namespace {

/// OpenSSL's SHA-256 uses the processor's instructions for it where there are any; libsodium's does
/// not. Making a context costs more than a short text, so each thread keeps one.
EVP_MD_CTX* thread_context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeDigestContext> context = [] {
    std::unique_ptr<EVP_MD_CTX, FreeDigestContext> made(EVP_MD_CTX_new());
    CHECK(made && EVP_DigestInit_ex(made.get(), EVP_sha256(), nullptr) == 1);
    return made;
  }();
  return context.get();
}

}  // namespace

std::string Sha256::text() const {
  return to_hex(bytes);
}

Sha256 sha256(std::string_view content) {
  Sha256 digest;
  EVP_MD_CTX* const context = thread_context();
  const bool done = EVP_DigestInit_ex(context, nullptr, nullptr) == 1 &&
                    EVP_DigestUpdate(context, content.data(), content.size()) == 1 &&
                    EVP_DigestFinal_ex(context, digest.bytes.data(), nullptr) == 1;
  CHECK(done);
  return digest;
}

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256Stream::add(std::string_view piece) {
  CHECK(EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) == 1);
}

Sha256 Sha256Stream::finish() {
  Sha256 digest;
  CHECK(EVP_DigestFinal_ex(context_.get(), digest.bytes.data(), nullptr) == 1);
  return digest;
}

std::optional<Sha256> parse_sha256(std::string_view text) {
  const auto octets = from_hex(text);
  Sha256 digest;
  if (!octets || octets->size() != digest.bytes.size()) return std::nullopt;
  std::memcpy(digest.bytes.data(), octets->data(), octets->size());
  return digest;
}

}  // namespace muster::crypto
