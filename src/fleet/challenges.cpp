// SPDX-License-Identifier: Apache-2.0
#include "fleet/challenges.h"

#include <cstdint>
#include <span>

#include "base/limits.h"
#include "crypto/seal.h"
#include "store/sql/passkeys.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr std::size_t challenge_bytes = 32;  // WebAuthn Level 3 (13.4.3) asks for 16
constexpr std::size_t number_bytes = 8;

crypto::SecretKey seal_key(const Credentials& credentials, std::string_view purpose) {
  return credentials.keyed_hash().derive(purpose, "").bytes;
}

void put_number(std::string& out, std::int64_t number) {
  for (std::size_t shift = 8 * number_bytes; shift > 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> (shift - 8));
  }
}
std::int64_t take_number(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes.substr(0, number_bytes)) {
    number = number << 8U | static_cast<unsigned char>(byte);
  }
  bytes.remove_prefix(number_bytes);
  return static_cast<std::int64_t>(number);
}

}  // namespace

Challenge make_challenge(const Credentials& credentials, Rng& rng, std::string_view purpose,
                         OperatorId of, Duration ttl, Instant now) {
  Challenge challenge{std::string(challenge_bytes, '\0'), {}, now + ttl};
  rng.fill(std::as_writable_bytes(std::span(challenge.octets)));
  std::string content;
  put_number(content, of.value);
  put_number(content, challenge.expires_at.unix_ms);
  content += challenge.octets;
  challenge.sealed = crypto::seal(content, seal_key(credentials, purpose), rng);
  return challenge;
}

std::optional<Challenge> open_challenge(const Credentials& credentials, std::string_view purpose,
                                        std::string_view sealed, OperatorId of, Instant now) {
  const auto content = crypto::unseal(sealed, seal_key(credentials, purpose));
  if (!content || content->size() != 2 * number_bytes + challenge_bytes) return std::nullopt;
  std::string_view rest = *content;
  const OperatorId for_whom{take_number(rest)};
  const Instant expires_at{take_number(rest)};
  if (for_whom != of || now >= expires_at) return std::nullopt;
  return Challenge{std::string(rest), std::string(sealed), expires_at};
}

bool use_challenge(store::Tx& tx, const Credentials& credentials, const Challenge& challenge,
                   Instant now) {
  return store::use_challenge(tx, credentials.hash(challenge.octets), challenge.expires_at,
                              now - limits::challenge_memory);
}

}  // namespace muster::fleet
