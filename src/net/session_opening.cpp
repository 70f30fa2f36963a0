// SPDX-License-Identifier: Apache-2.0
// What comes before the first request: a proxy's header, then TLS.
#include <algorithm>
#include <array>

#include "net/answer.h"
#include "net/proxy_header.h"
#include "net/server_tls.h"
#include "net/session.h"

namespace muster::net {

namespace {

constexpr char tls_handshake_record = 0x16;  // RFC 8446 5.1

/// Gives a handshake's place back, however it ends.
class Place {
 public:
  explicit Place(HandshakePace& pace) : pace_(pace) {}
  ~Place() { pace_.leave(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  HandshakePace& pace_;
};

}  // namespace

bool Session::has_opening() const {
  const ServerOptions& options = thread_.options();
  return options.tls != nullptr || (through_proxy_ && options.proxy_protocol);
}

Task<bool> Session::open() {
  const ServerOptions& options = thread_.options();
  thread_.set_deadline(*this, options.head_timeout);
  if (through_proxy_ && options.proxy_protocol) {
    const bool read = co_await read_proxy_header();
    if (!read) co_return false;
  }
  if (options.tls == nullptr) co_return true;
  const bool begins = co_await begins_tls();
  if (!begins) co_return false;
  const bool shaken = co_await shake_hands();
  co_return shaken;
}

void Session::set_peer(const IpAddress& peer) {
  peer_ = peer;
  peer_text_ = format_ip_address(peer);
}

Task<bool> Session::read_proxy_header() {
  std::array<char, proxy_header_bytes_max> input;  // NOLINT: only what was read is looked at
  std::size_t size = 0;
  for (;;) {
    const ProxyHeader header = decode_proxy_header({input.data(), size});
    if (header.state == ProxyHeader::State::malformed) co_return false;
    if (header.state == ProxyHeader::State::whole) {
      if (header.client) set_peer(*header.client);
      co_return true;
    }
    const bool readable = co_await wait(Io::State::wait_read);
    if (!readable) co_return false;
    // Not a byte more: what follows may be TLS's.
    const Io got = read_some(socket(), std::span<char>(input).subspan(size, header.bytes - size));
    if (got.state == Io::State::closed) co_return false;
    size += got.bytes;
  }
}

Task<bool> Session::begins_tls() {
  char first = 0;
  while (first == 0) {
    const bool readable = co_await wait(Io::State::wait_read);
    if (!readable) co_return false;
    const auto peeked = ::recv(socket(), &first, 1, MSG_PEEK);
    if (peeked == 0 || (peeked < 0 && !would_block())) co_return false;
    if (peeked == 1 && first == tls_handshake_record) co_return true;
    if (peeked == 1) break;
  }
  if (first < 'A' || first > 'Z') co_return false;  // no method either
  const http::Response response{400, "This port speaks HTTPS.\n", "text/plain"};
  std::string& out = thread_.answer_buffer();
  append_answer_head(out, response,
                     {.date = thread_.http_date(thread_.shared().clock.now()), .close = true});
  write_some(socket(), out.append(response.body));
  co_await drop_input();
  co_return false;
}

Task<bool> Session::shake_hands() {
  HandshakePace& pace = thread_.handshakes();
  co_await thread_.wait_handshake_place();
  const Place place(pace);
  if (!socket_.is_open()) co_return false;
  const Duration patience = thread_.options().handshake_timeout;
  thread_.set_deadline(
      *this, pace.crowded() ? std::min(patience, limits::crowded_handshake_timeout) : patience);
  tls_ = thread_.options().tls->open(socket());
  for (;;) {
    const Io step = net::shake_hands(tls_.get());
    if (step.state == Io::State::closed) co_return false;
    if (step.state == Io::State::done) break;
    const bool ready = co_await wait(step.state);
    if (!ready) co_return false;
    co_await thread_.wait_handshake_turn();
    if (!socket_.is_open()) co_return false;
  }
  // Who has asked nothing yet can go elsewhere.
  char byte = 0;
  co_return !thread_.draining() || ::recv(socket(), &byte, 1, MSG_PEEK) > 0;
}

}  // namespace muster::net
