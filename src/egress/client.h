// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/ip_address.h"
#include "base/limits.h"
#include "base/result.h"
#include "http/fetch.h"

namespace muster::egress {

/// Whom the server may call, and how: [egress] of the configuration.
struct Rules {
  /// Networks that may be called although they are not public.
  std::vector<IpNetwork> allow = {};
  /// Hosts that may be asked over plain http: names or numeric addresses, in any case of letters.
  std::vector<std::string> plain_http = {};
  /// "http://proxy.lan:3128": every call goes through it, and it looks names up. The environment's
  /// own settings are never used.
  std::string proxy = {};
  /// PEM file of authorities to trust instead of the system's.
  std::string ca_file = {};
  std::string user_agent = "muster";
  /// How long a download may be slower than limits::egress_slowest_bytes_per_second.
  Duration stall = limits::egress_stall;
};

Rules rules_of(const Config& config, std::string user_agent);

/// All addresses of a host. Fails with unavailable.
using Resolve = std::function<Result<std::vector<IpAddress>>(const std::string& host)>;

/// Hears of an address that a host has and that may not be called.
using Refused = std::function<void(const std::string& host, const IpAddress& address)>;

/// Asks the system. Blocks for as long as its resolver does.
Result<std::vector<IpAddress>> resolve_by_system(const std::string& host);

/// The one way out of the server (docs/adr/0014). GET and POST over https; http only where the
/// rules allow it. A name is looked up once, every address that it has must be public or allowed,
/// and the connection goes to those addresses alone, whatever the name means a moment later. The
/// same holds for each redirect, of which there are at most limits::egress_redirects and none from
/// https to http. Bounded in octets, in time and in slowness. Safe from several threads. An error
/// does not name the address that a name has, for it is shown to whoever wrote the name: an
/// organisation's admin would read the addresses of the server's own network.
class Client {
 public:
  /// `refused`, from the threads that fetch, is for the log of whoever runs the server.
  explicit Client(Rules rules, Resolve resolve = resolve_by_system, Refused refused = {});

  /// As http::Fetch. A Retry-After is passed on as the error's retry_after_seconds; nothing is
  /// tried again here.
  Result<http::Fetched> fetch(const http::FetchOrder& order) const;

 private:
  Rules rules_;
  Resolve resolve_;
  Refused refused_;
};

}  // namespace muster::egress
