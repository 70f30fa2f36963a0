// SPDX-License-Identifier: Apache-2.0
#include "net/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace muster::net {

namespace {

/// After a call that did not succeed.
Io stopped(SSL* tls, std::size_t bytes) {
  switch (SSL_get_error(tls, 0)) {
    case SSL_ERROR_WANT_READ:
      return {Io::State::wait_read, bytes};
    case SSL_ERROR_WANT_WRITE:
      return {Io::State::wait_write, bytes};
    case SSL_ERROR_ZERO_RETURN:
      return {Io::State::closed, bytes};
    default:
      // OpenSSL forbids everything after this, a goodbye too.
      SSL_set_shutdown(tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
      ERR_clear_error();
      return {Io::State::closed, bytes};
  }
}

}  // namespace

Io read_some(SSL* tls, std::span<char> out) {
  std::size_t bytes = 0;
  for (;;) {
    ERR_clear_error();
    std::size_t got = 0;
    if (SSL_read_ex(tls, out.data() + bytes, out.size() - bytes, &got) != 1) break;
    bytes += got;
    // Behind a full record there is probably another; looking behind each would cost a call.
    if (got < SSL3_RT_MAX_PLAIN_LENGTH || bytes == out.size()) return {Io::State::done, bytes};
  }
  const Io last = stopped(tls, bytes);
  return bytes > 0 ? Io{Io::State::done, bytes} : last;
}

Io write_some(SSL* tls, std::string_view bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    ERR_clear_error();
    std::size_t step = 0;
    if (SSL_write_ex(tls, bytes.data() + sent, bytes.size() - sent, &step) != 1) {
      return stopped(tls, sent);
    }
    sent += step;
  }
  return {Io::State::done, sent};
}

Io shake_hands(SSL* tls) {
  ERR_clear_error();
  const int done = SSL_accept(tls);
  if (done == 1) return {};
  // SSL_get_error() looks at the result only for its sign: 0 and -1 are the same to it.
  return stopped(tls, 0);
}

Io shake_hands_as_client(SSL* tls) {
  ERR_clear_error();
  if (SSL_connect(tls) == 1) return {};
  return stopped(tls, 0);
}

void say_goodbye(SSL* tls) {
  if (SSL_is_init_finished(tls) == 0 || (SSL_get_shutdown(tls) & SSL_SENT_SHUTDOWN) != 0) return;
  ERR_clear_error();
  SSL_shutdown(tls);
  ERR_clear_error();
}

}  // namespace muster::net
