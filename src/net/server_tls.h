// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/guarded.h"
#include "base/result.h"
#include "base/time.h"
#include "net/socket_bio.h"
#include "net/ticket_keys.h"

namespace muster::net {

/// PEM files: the certificate with the chain below it, and its key.
struct TlsFiles {
  std::string certificate;
  std::string key;
};

/// What an operator wants to know of the certificate in force.
struct ServedCertificate {
  Instant expires_at;
  std::string key_type;                 // "EC" or "RSA"
  bool key_readable_by_others = false;  // by the file's mode
};

/// The server's side of TLS 1.2 and 1.3: forward secrecy and AEAD only, no renegotiation, no
/// compression, HTTP/1.1 by ALPN, resumption by tickets. Safe from several threads.
class ServerTls {
 public:
  /// Fails with invalid_field, naming the file and the reason in words. `clock` must outlive the
  /// result, and the result every connection that open() made.
  static Result<std::unique_ptr<ServerTls>> load(TlsFiles files, const Clock& clock);
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  /// Reads the files again, for connections that come from now on. On failure, as in load(), what
  /// was in force stays in force.
  Result<void> reload();

  /// The server's end of a connection over the non-blocking `socket`, which stays the caller's.
  SslPtr open(int socket) const;

  ServedCertificate certificate() const;

 private:
  struct InForce {
    SslContextPtr context;
    ServedCertificate certificate;
  };
  ServerTls(TlsFiles files, const Clock& clock) : files_(std::move(files)), ticket_keys_(clock) {}
  Result<InForce> read();

  TlsFiles files_;
  TicketKeys ticket_keys_;
  Guarded<InForce> in_force_;
};

}  // namespace muster::net
