// SPDX-License-Identifier: Apache-2.0
#include "base/ip_scope.h"

#include "base/check.h"

namespace muster {

namespace {

std::vector<IpNetwork> networks_of(std::initializer_list<std::string_view> texts) {
  std::vector<IpNetwork> out;
  for (const std::string_view text : texts) out.push_back(parse_ip_network(text).value());
  return out;
}

/// https://www.iana.org/assignments/iana-ipv4-special-registry
const std::vector<IpNetwork>& special_v4() {
  static const std::vector<IpNetwork> networks = networks_of({
      "0.0.0.0/8",        // this network (RFC 791)
      "10.0.0.0/8",       // private (RFC 1918)
      "100.64.0.0/10",    // shared, behind a provider's NAT (RFC 6598)
      "127.0.0.0/8",      // loopback
      "169.254.0.0/16",   // link-local, and clouds' metadata (RFC 3927)
      "172.16.0.0/12",    // private
      "192.0.0.0/24",     // protocol assignments (RFC 6890)
      "192.0.2.0/24",     // documentation (RFC 5737)
      "192.88.99.0/24",   // 6to4 relays, given up (RFC 7526)
      "192.168.0.0/16",   // private
      "198.18.0.0/15",    // benchmarking (RFC 2544)
      "198.51.100.0/24",  // documentation
      "203.0.113.0/24",   // documentation
      "224.0.0.0/4",      // multicast (RFC 5771)
      "240.0.0.0/4",      // reserved, and broadcast (RFC 1112)
  });
  return networks;
}

/// https://www.iana.org/assignments/iana-ipv6-special-registry, of what is in 2000::/3.
const std::vector<IpNetwork>& special_v6() {
  static const std::vector<IpNetwork> networks = networks_of({
      "2001::/23",      // protocol assignments, Teredo and ORCHID among them (RFC 2928)
      "2001:db8::/32",  // documentation (RFC 3849)
      "2002::/16",      // 6to4: leads to any IPv4 (RFC 3056)
      "3fff::/20",      // documentation (RFC 9637)
  });
  return networks;
}

}  // namespace

bool is_public_address(const IpAddress& address) {
  static const IpNetwork global_unicast = parse_ip_network("2000::/3").value();
  static const IpNetwork nat64 = parse_ip_network("64:ff9b::/96").value();
  if (address.is_v4()) return !contains(special_v4(), address);
  if (nat64.contains(address)) return is_public_address(ipv4_address(address.bytes.data() + 12));
  return global_unicast.contains(address) && !contains(special_v6(), address);
}

}  // namespace muster
