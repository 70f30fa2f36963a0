// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ip_address.h"

namespace muster::net {

/// The fixed part of a PROXY protocol version 2 header: signature, command, family, length.
inline constexpr std::size_t proxy_prefix_bytes = 16;
/// All of it: the specification asks senders to stay within what one segment always carries.
inline constexpr std::size_t proxy_header_bytes_max = 536;

/// What the front of a connection says about its client.
struct ProxyHeader {
  enum class State { incomplete, malformed, whole };
  State state = State::incomplete;
  /// How much it takes: of the fixed part while that is incomplete, else of the whole header.
  std::size_t bytes = proxy_prefix_bytes;
  /// Nothing when the proxy speaks for itself (LOCAL, or no address family).
  std::optional<IpAddress> client = std::nullopt;
};

/// Reads a header at the front of `input` (HAProxy, proxy-protocol.txt 2.2): TCP over IPv4 or IPv6,
/// or none; what follows the addresses (TLVs) is skipped. Version 1 and everything else is
/// malformed.
ProxyHeader decode_proxy_header(std::string_view input);

/// Who sent a request that came through proxies: the right-most address of the `X-Forwarded-For`
/// list that is none of `trusted`, starting from `peer`. Entries left of one that is no address are
/// not believed. `list` may be empty; a port behind an entry is ignored.
IpAddress forwarded_client(const IpAddress& peer, std::string_view list,
                           const std::vector<IpNetwork>& trusted);

}  // namespace muster::net
