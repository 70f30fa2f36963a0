// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <openssl/ssl.h>

namespace muster::net {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;
using SslContextPtr = std::unique_ptr<SSL_CTX, SslFree>;

/// Lets `ssl` speak on a non-blocking descriptor that stays the caller's. Unlike OpenSSL's own
/// socket BIO it never raises SIGPIPE, so no process-wide signal setting is needed.
void attach_socket(SSL* ssl, int descriptor);

/// The oldest error of this thread's OpenSSL queue in words; empties the queue.
const char* take_ssl_error();

}  // namespace muster::net
