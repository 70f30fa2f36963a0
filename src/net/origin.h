// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::net {

/// Scheme, host and port of a server (RFC 6454), without a path.
struct Origin {
  bool tls = false;
  std::string host;  // a name or a numeric address, without brackets
  std::uint16_t port = 0;

  /// "http://127.0.0.1:8480": the port is left out when it is the scheme's own.
  std::string text() const;
  /// What the `Host` field says: text() without its scheme.
  std::string authority() const;
};

/// Reads "http://host[:port]" or "https://host[:port]", IPv6 in brackets, one trailing slash
/// tolerated. Fails with invalid_field, and a message that begins with `text`, for anything more:
/// user, path, query, fragment.
Result<Origin> parse_origin(std::string_view text);
/// As parse_origin, for whoever is going to call it: fails also for plain HTTP to anything but
/// is_loopback().
Result<Origin> parse_callable_origin(std::string_view text);

/// True for a numeric IPv4 or IPv6 address.
bool is_address(std::string_view host);

/// True for "localhost", 127.0.0.0/8 and ::1. Names are not resolved.
bool is_loopback(std::string_view host);

}  // namespace muster::net
