// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/request.h"

namespace muster::net {

struct ClientRequest {
  http::Method method = http::Method::get;
  std::string target = {};  // path and query
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::string_view content_type = "application/json";
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// Value of the first header of that name in any case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

/// Where a client may go and how long it waits.
struct ClientOptions {
  Duration connect_timeout = std::chrono::seconds(10);
  /// From the first byte sent to the last byte received.
  Duration request_timeout = std::chrono::seconds(30);
  std::size_t response_bytes_max = 64 * 1024 * 1024;
  std::string user_agent = "muster";
  std::string ca_file = {};  // PEM; empty: the system's
};

/// A blocking HTTP/1.1 client for the command line and the agent: one keep-alive connection to one
/// origin, http or https (certificate and host name verified, TLS 1.2 or newer). Plain http to
/// anything but loopback is refused. Never follows redirects, never leaves its origin. Not for use
/// by several threads at once.
class Client {
 public:
  /// `origin` is "http://127.0.0.1:8480" or "https://host[:port]"; a path after it is refused.
  /// Fails with invalid_field.
  static Result<Client> create(std::string_view origin, ClientOptions options = {});
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// Sends and waits for the whole answer. A kept-alive connection that turns out to be closed
  /// before any byte of the answer came is opened once more, for every method: the server treats
  /// repeats as one. Fails with unavailable and the reason in words (connection refused, timed
  /// out, certificate, oversize answer).
  Result<ClientResponse> send(const ClientRequest& request);

  /// A connection of its own to the same origin, that trusts whom this one trusts. Also while
  /// another thread is in send().
  Client another() const;

  const std::string& origin() const;

 private:
  struct Connection;
  explicit Client(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace muster::net
