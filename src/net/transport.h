// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>

#include <openssl/types.h>

namespace muster::net {

/// How far a non-blocking read or write came, and what to wait for before the next. Through TLS
/// either may have to wait for either: a peer may ask for new keys in the middle of a read.
struct Io {
  enum class State { done, wait_read, wait_write, closed };
  State state = State::done;
  std::size_t bytes = 0;
};

inline bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/// At least one byte unless it must wait or the peer has closed. This and write_some() are all that
/// a session knows of its socket.
inline Io read_some(int socket, std::span<char> out) {
  const auto got = ::recv(socket, out.data(), out.size(), 0);
  if (got > 0) return {Io::State::done, static_cast<std::size_t>(got)};
  return {got < 0 && would_block() ? Io::State::wait_read : Io::State::closed};
}

/// Never raises SIGPIPE: a peer that is gone is `closed`.
inline Io write_some(int socket, std::string_view bytes) {
  const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return {Io::State::done, static_cast<std::size_t>(sent)};
  return {would_block() ? Io::State::wait_write : Io::State::closed};
}

/// The same two through TLS. Bytes of a write that had to wait must be offered again first. After
/// read_some() more may be there that no readiness of the socket announces: SSL_pending().
Io read_some(SSL* tls, std::span<char> out);
Io write_some(SSL* tls, std::string_view bytes);

/// One step of the server's handshake; `done` is the last.
Io shake_hands(SSL* tls);
/// The same of the client's. After `closed` SSL_get_verify_result() may say why.
Io shake_hands_as_client(SSL* tls);

/// Tells the peer, if its socket has room, that nothing was cut off (RFC 8446 6.1). Writes only:
/// reading goes on. Nothing happens during a handshake, after a failure, or the second time.
void say_goodbye(SSL* tls);

}  // namespace muster::net
