// SPDX-License-Identifier: Apache-2.0
#include "net/ticket_keys.h"

#include <algorithm>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "base/limits.h"

namespace muster::net {

namespace {

// What OpenSSL wants to hear from the callback.
constexpr int refused = 0;
constexpr int taken = 1;
constexpr int taken_renew = 2;
constexpr int failed = -1;

template <std::size_t size>
void randomise(std::array<std::uint8_t, size>& out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    throw std::runtime_error("no randomness for ticket keys");
  }
}

bool set_mac_key(EVP_MAC_CTX* mac, std::array<std::uint8_t, 32> key) {
  std::array<char, 7> digest = {"SHA256"};
  const std::array<OSSL_PARAM, 3> params = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, params.data()) == 1;
}

}  // namespace

void TicketKeys::attach(SSL_CTX* context) {
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, seal_or_open);
  const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(limits::ticket_key_period);
  SSL_CTX_set_timeout(context, lifetime.count());
}

int TicketKeys::seal_or_open(SSL* tls, unsigned char* name, unsigned char* iv,
                             EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seals) {
  auto& self = *static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)));
  const EVP_CIPHER* aes = EVP_aes_256_cbc();
  if (seals == 1) {
    const Key key = self.sealing_key();
    std::copy(key.name.begin(), key.name.end(), name);
    const bool ready = RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) == 1 &&
                       EVP_EncryptInit_ex(cipher, aes, nullptr, key.cipher.data(), iv) == 1 &&
                       set_mac_key(mac, key.mac);
    return ready ? taken : failed;
  }
  const auto opening = self.opening_key(name);
  if (!opening) return refused;  // a full handshake then
  const bool ready =
      EVP_DecryptInit_ex(cipher, aes, nullptr, opening->key.cipher.data(), iv) == 1 &&
      set_mac_key(mac, opening->key.mac);
  if (!ready) return failed;
  return opening->renew ? taken_renew : taken;
}

TicketKeys::Key TicketKeys::make_key(Instant now) {
  Key key;
  randomise(key.name);
  randomise(key.cipher);
  randomise(key.mac);
  key.made_at = now;
  return key;
}

void TicketKeys::turn(Ring& ring, Instant now) {
  constexpr Duration period = limits::ticket_key_period;
  if (ring.current && now >= ring.current->made_at + period) {
    ring.previous = now < ring.current->made_at + 2 * period ? ring.current : std::nullopt;
    ring.current.reset();
  }
  if (!ring.current) ring.current = make_key(now);
}

TicketKeys::Key TicketKeys::sealing_key() {
  return ring_.with([&](Ring& ring) {
    turn(ring, clock_.now());
    return *ring.current;
  });
}

std::optional<TicketKeys::Opening> TicketKeys::opening_key(const unsigned char* name) {
  return ring_.with([&](Ring& ring) -> std::optional<Opening> {
    turn(ring, clock_.now());
    const auto named = [&](const std::optional<Key>& key) {
      return key && std::equal(key->name.begin(), key->name.end(), name);
    };
    if (named(ring.current)) return Opening{*ring.current, false};
    if (named(ring.previous)) return Opening{*ring.previous, true};
    return std::nullopt;
  });
}

}  // namespace muster::net
