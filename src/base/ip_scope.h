// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/ip_address.h"

namespace muster {

/// Whether an address is one of the public Internet: a single host that routers forward to from
/// anywhere. False for all that IANA's special-purpose registries (RFC 6890 and later) keep for
/// other uses: private, loopback, link-local, shared (CGNAT), documentation, benchmarking,
/// multicast, reserved; and for tunnels that carry any of them (6to4, Teredo, local NAT64). An
/// IPv4-mapped address is the IPv4 it is, one behind NAT64's well-known prefix (RFC 6052) the IPv4
/// that it leads to.
bool is_public_address(const IpAddress& address);

}  // namespace muster
