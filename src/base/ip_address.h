// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muster {

/// An IPv4 or IPv6 address. IPv4 is kept as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so that a caller
/// who came over either kind of socket is the same caller.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  bool operator==(const IpAddress&) const = default;
  bool is_v4() const;
};

/// The four octets at `bytes`, in network order.
IpAddress ipv4_address(const void* bytes);

/// Reads "192.0.2.7" or "2001:db8::7": numeric, without port, brackets or zone.
std::optional<IpAddress> parse_ip_address(std::string_view text);

/// The shortest form (RFC 5952); an IPv4-mapped address as the IPv4 it is.
std::string format_ip_address(const IpAddress& address);

/// All addresses that share their first bits.
struct IpNetwork {
  IpAddress first;
  unsigned bits = 0;  // of the 128

  /// An IPv4 address is in IPv4 networks only: "::/0" does not mean every IPv4 caller.
  bool contains(const IpAddress& address) const;
};

/// Reads "10.0.0.0/8", "2001:db8::/32" or one address. Fails with invalid_field, also when bits are
/// set behind the prefix: whoever wrote "10.0.0.7/8" meant something else.
Result<IpNetwork> parse_ip_network(std::string_view text);

/// "10.0.0.0/8"; always with its prefix.
std::string format_ip_network(const IpNetwork& network);

/// True if one of them contains it.
bool contains(const std::vector<IpNetwork>& networks, const IpAddress& address);

}  // namespace muster
