// SPDX-License-Identifier: Apache-2.0
// Any bytes on a connection, cut anywhere: the server answers in whole, well-formed answers, never
// more than there are heads, and closes. However the bytes arrive, the answers are the same. The
// first octet says how they are cut.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "http/application.h"
#include "net/descriptor.h"
#include "net/server.h"

class muster::store::Tx {};

namespace {

using namespace muster;

constexpr int patience_ms = 20'000;
constexpr std::size_t body_max = 4096;

class FixedClock final : public Clock {
 public:
  Instant now() const override { return {1'774'103'401'000}; }
};

/// Every way a request can go: the path's first letter picks it.
class Ways final : public http::Application {
 public:
  std::variant<http::Admission, http::Response> admit(http::Request& request) override {
    const char way = request.path.size() > 1 ? request.path[1] : 'h';
    if (way == 'x') return http::json_response(401, "{}");
    const http::RunOn run_on = way == 'r'   ? http::RunOn::read
                               : way == 'w' ? http::RunOn::write
                                            : http::RunOn::here;
    return http::Admission{0, body_max, run_on, 0};
  }
  http::Reply handle(const http::Admission& admission, const http::Request& request) override {
    http::Response response =
        http::json_response(200, std::to_string(request.body.size()) + " octets");
    if (admission.run_on != http::RunOn::write) return response;
    return http::Write([response](store::Tx&) -> Result<http::Response> { return response; });
  }
  bool commit(const http::Admission&, http::Write& write, Respond& respond) override {
    store::Tx tx;
    respond(write(tx).value());
    return true;
  }
  http::Response refuse(const http::Request&, const Error& error) override {
    return http::json_response(http::status_of(error.code), "{}");
  }
};

struct Site {
  Site() { server.start(); }
  Ways ways;
  FixedClock clock;
  Log log{clock, [](std::string_view) {}};
  net::ServerOptions options = [] {
    net::ServerOptions chosen;
    chosen.io_threads = 1;
    chosen.worker_threads = 1;
    return chosen;
  }();
  net::Server server{ways, clock, log, options};
};

Site& site() {
  static Site one;
  return one;
}

/// One loopback address after another: each has ports of its own, and a quick machine opens more
/// connections in a minute than one has.
in_addr next_source() {
  constexpr std::uint32_t connections_each = 10'000;
  constexpr std::uint32_t addresses = 200;
  static std::uint32_t connections = 0;
  return {htonl(INADDR_LOOPBACK + connections++ / connections_each % addresses)};
}

/// All that the server sends for `input`, in pieces of `step`, until it closes.
std::string talk(std::string_view input, std::size_t step) {
  const net::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int late = 1;  // the port is chosen by connect, which knows what is free towards the server
  setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = next_source();
  CHECK(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  address.sin_port = htons(site().server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  while (!input.empty()) {
    const std::string_view piece = input.substr(0, step);
    if (::send(socket.get(), piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
    input.remove_prefix(piece.size());
  }
  ::shutdown(socket.get(), SHUT_WR);
  std::string answers;
  for (;;) {
    pollfd entry{socket.get(), POLLIN, 0};
    CHECK(::poll(&entry, 1, patience_ms) == 1);  // it closes
    char chunk[4096];
    const auto got = ::recv(socket.get(), chunk, sizeof chunk, 0);
    if (got <= 0) return answers;
    answers.append(chunk, static_cast<std::size_t>(got));
  }
}

/// The statuses of whole answers; the last may lack its body, as HEAD asks, or be cut by a close.
std::vector<std::string> statuses(std::string_view answers) {
  std::vector<std::string> all;
  while (!answers.empty()) {
    CHECK(answers.starts_with("HTTP/1.1 ") || answers.starts_with("HTTP/1.0 "));
    const auto end = answers.find("\r\n\r\n");
    CHECK(end != std::string_view::npos);
    const std::string_view head = answers.substr(0, end);
    const std::string status(answers.substr(9, 3));
    answers.remove_prefix(end + 4);
    if (status == "100") continue;  // whether it is said depends on how the bytes arrive
    all.push_back(status);
    const auto field = head.find("\r\nContent-Length: ");
    CHECK(field != std::string_view::npos || status == "204");
    const auto length =
        parse_int(head.substr(field + 18, head.find("\r\n", field + 2) - field - 18));
    CHECK(length && *length >= 0);
    if (answers.starts_with("HTTP/1.")) continue;  // an answer to HEAD
    CHECK(answers.size() >= static_cast<std::size_t>(*length) || answers.empty());
    answers.remove_prefix(std::min(answers.size(), static_cast<std::size_t>(*length)));
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::vector<std::string> whole = statuses(talk(input, input.size()));
  const auto ends = static_cast<std::size_t>(std::count(input.begin(), input.end(), '\n'));
  CHECK(whole.size() <= ends + 1);
  const std::size_t step = 1 + bytes[0] % 64;
  CHECK(statuses(talk(input, step)) == whole);
  return 0;
}
