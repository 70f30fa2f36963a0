// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <openssl/ssl.h>

#include "base/guarded.h"
#include "base/time.h"

namespace muster::net {

/// The keys that seal session tickets (RFC 5077, RFC 8446 4.6.1): a caller that comes back shows
/// its ticket instead of making us sign. A key seals for limits::ticket_key_period, opens for one
/// more, and is then gone, so that no ticket can be opened later. They are in this process's memory
/// only: after a restart, and on another node, callers shake hands in full. Safe from several
/// threads.
class TicketKeys {
 public:
  /// `clock` must outlive this.
  explicit TicketKeys(const Clock& clock) : clock_(clock) {}
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  /// Tickets of `context` are sealed with these keys, which must outlive its connections.
  void attach(SSL_CTX* context);

 private:
  struct Key {
    std::array<std::uint8_t, 16> name;
    std::array<std::uint8_t, 32> cipher;
    std::array<std::uint8_t, 32> mac;
    Instant made_at;
  };
  struct Ring {
    std::optional<Key> current;
    std::optional<Key> previous;
  };

  static int seal_or_open(SSL*, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX*,
                          EVP_MAC_CTX*, int seals);
  static Key make_key(Instant now);
  /// Drops what is too old; a new current key if there is none left.
  static void turn(Ring& ring, Instant now);

  Key sealing_key();
  struct Opening {
    Key key;
    bool renew;  // the ticket should be replaced
  };
  std::optional<Opening> opening_key(const unsigned char* name);

  const Clock& clock_;
  Guarded<Ring> ring_;
};

}  // namespace muster::net
