// SPDX-License-Identifier: Apache-2.0
#include "net/blocking_stream.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <vector>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/client_tls.h"

namespace muster::net {

namespace {

using Clock = std::chrono::steady_clock;

Error unavailable(std::string why) {
  return {Errc::unavailable, std::move(why)};
}

/// The events of `events` that came, 0 at the deadline.
short wait_for(int socket, short events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd entry{socket, events, 0};
    const auto timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
    const int ready = ::poll(&entry, 1, timeout);
    if (ready > 0) return entry.revents;
    if (ready == 0) return 0;
    if (errno != EINTR) return POLLERR;
  }
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

Moved timed_out(std::size_t bytes) {
  return {bytes, Moved::End::timed_out, "timed out"};
}

/// What errno says after a failed send or recv.
Moved broken(std::size_t bytes) {
  const bool closed = errno == EPIPE || errno == ECONNRESET;
  return {bytes, closed ? Moved::End::closed : Moved::End::failed, std::strerror(errno)};
}

/// What OpenSSL says after a failed call that is no reason to wait.
Moved broken_tls(int reason, std::size_t bytes) {
  if (reason == SSL_ERROR_ZERO_RETURN) return {bytes, Moved::End::closed};
  if (reason == SSL_ERROR_SYSCALL) return broken(bytes);
  const bool cut = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  return {bytes, cut ? Moved::End::closed : Moved::End::failed, take_ssl_error()};
}

/// The event to wait for after `reason`, 0 when waiting does not help.
short tls_event(int reason) {
  if (reason == SSL_ERROR_WANT_READ) return POLLIN;
  if (reason == SSL_ERROR_WANT_WRITE) return POLLOUT;
  return 0;
}

bool is_loopback_address(const addrinfo& address) {
  if (address.ai_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address.ai_addr, sizeof v4);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, address.ai_addr, sizeof v6);
  return std::memcmp(&v6.sin6_addr, &in6addr_loopback, sizeof v6.sin6_addr) == 0;
}

Result<Descriptor> connect_to(const addrinfo& address, Deadline deadline) {
  Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return unavailable(std::strerror(errno));
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return unavailable(std::strerror(errno));
    if (wait_for(socket.get(), POLLOUT, deadline) == 0) {
      return unavailable("connect timed out");
    }
    int failure = 0;
    socklen_t size = sizeof failure;
    getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return unavailable(std::strerror(failure));
  }
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

struct AddressesFree {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

Result<Descriptor> connect_any(const Origin& origin, bool loopback_only, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failure =
      getaddrinfo(origin.host.c_str(), std::to_string(origin.port).c_str(), &hints, &list);
  if (failure != 0) return unavailable(origin.host + ": " + gai_strerror(failure));
  const std::unique_ptr<addrinfo, AddressesFree> owned(list);
  std::vector<const addrinfo*> addresses;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    if (loopback_only && !is_loopback_address(*at)) continue;
    addresses.push_back(at);
  }
  auto socket = connect_to_first(addresses, deadline);
  if (!socket.ok()) return unavailable(origin.authority() + ": " + socket.error().message);
  return socket;
}

}  // namespace

Result<Descriptor> connect_to_first(const std::vector<const addrinfo*>& addresses,
                                    Deadline deadline) {
  std::string why = "no usable address";
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto now = Clock::now();
    const auto share = (deadline - now) / static_cast<int>(addresses.size() - i);
    auto socket = connect_to(*addresses[i], now + share);
    if (socket.ok()) return socket;
    why = socket.error().message;
  }
  return unavailable(why);
}

Result<void> BlockingStream::shake_hands(int socket, SSL* ssl, Deadline deadline) {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(ssl);
    if (done == 1) return {};
    const short event = tls_event(SSL_get_error(ssl, done));
    if (event == 0) {
      const long verdict = SSL_get_verify_result(ssl);
      if (verdict != X509_V_OK) {
        ERR_clear_error();
        return unavailable(std::string("certificate: ") + X509_verify_cert_error_string(verdict));
      }
      return unavailable(std::string("TLS handshake: ") + take_ssl_error());
    }
    if (wait_for(socket, event, deadline) == 0) return unavailable("TLS handshake timed out");
  }
}

Result<BlockingStream> BlockingStream::connect(const Origin& origin, SSL_CTX* context,
                                               Deadline deadline) {
  Descriptor socket = TRY(connect_any(origin, context == nullptr, deadline));
  if (context == nullptr) return BlockingStream(std::move(socket), nullptr);
  SslPtr ssl = make_client_ssl(context, origin.host);
  attach_socket(ssl.get(), socket.get());
  if (auto shaken = shake_hands(socket.get(), ssl.get(), deadline); !shaken.ok()) {
    return unavailable(origin.authority() + ": " + shaken.error().message);
  }
  return BlockingStream(std::move(socket), std::move(ssl));
}

BlockingStream::~BlockingStream() {
  close();
}

BlockingStream& BlockingStream::operator=(BlockingStream&& other) noexcept {
  if (this != &other) {
    close();
    socket_ = std::move(other.socket_);
    ssl_ = std::move(other.ssl_);
  }
  return *this;
}

void BlockingStream::close() {
  // One-sided and best effort: the peer learns that nothing was cut off, nobody waits for it.
  if (ssl_ && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  ssl_.reset();
  socket_.reset();
}

Moved BlockingStream::read_some(std::span<char> out, Deadline deadline) {
  for (;;) {
    short event = POLLIN;
    if (ssl_) {
      ERR_clear_error();
      std::size_t got = 0;
      const int done = SSL_read_ex(ssl_.get(), out.data(), out.size(), &got);
      if (done == 1) return {got};
      const int reason = SSL_get_error(ssl_.get(), done);
      event = tls_event(reason);
      if (event == 0) return broken_tls(reason, 0);
    } else {
      const auto got = ::recv(socket_.get(), out.data(), out.size(), 0);
      if (got > 0) return {static_cast<std::size_t>(got)};
      if (got == 0) return {0, Moved::End::closed};
      if (!would_block()) return broken(0);
    }
    if (wait_for(socket_.get(), event, deadline) == 0) return timed_out(0);
  }
}

Moved BlockingStream::write(std::string_view bytes, Deadline deadline) {
  return ssl_ ? write_tls(bytes, deadline) : write_plain(bytes, deadline);
}

Moved BlockingStream::write_plain(std::string_view bytes, Deadline deadline) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto step = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (step >= 0) {
      sent += static_cast<std::size_t>(step);
      continue;
    }
    if (!would_block()) return broken(sent);
    const short ready = wait_for(socket_.get(), POLLOUT | POLLIN, deadline);
    if (ready == 0) return timed_out(sent);
    if ((ready & POLLIN) != 0) return {sent};
  }
  return {sent};
}

Moved BlockingStream::write_tls(std::string_view bytes, Deadline deadline) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    ERR_clear_error();
    std::size_t step = 0;
    const int done = SSL_write_ex(ssl_.get(), bytes.data() + sent, bytes.size() - sent, &step);
    sent += step;
    if (done == 1) continue;
    const int reason = SSL_get_error(ssl_.get(), done);
    const short event = tls_event(reason);
    if (event == 0) return broken_tls(reason, sent);
    if (wait_for(socket_.get(), event, deadline) == 0) return timed_out(sent);
  }
  return {sent};
}

}  // namespace muster::net
