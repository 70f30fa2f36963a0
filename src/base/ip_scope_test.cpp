// SPDX-License-Identifier: Apache-2.0
#include "base/ip_scope.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

bool is_public(std::string_view text) {
  const auto address = parse_ip_address(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address && is_public_address(*address);
}

/// The address `steps` (1 or -1) beside it.
IpAddress beside(IpAddress address, int steps) {
  for (std::size_t at = 16; at-- > 0;) {
    address.bytes[at] = static_cast<std::uint8_t>(address.bytes[at] + steps);
    if (address.bytes[at] != (steps > 0 ? 0x00 : 0xff)) break;
  }
  return address;
}

IpAddress last_of(const IpNetwork& network) {
  IpAddress last = network.first;
  for (unsigned bit = network.bits; bit < 128; ++bit) {
    last.bytes[bit / 8] = static_cast<std::uint8_t>(last.bytes[bit / 8] | 0x80 >> bit % 8);
  }
  return last;
}

struct Edge {
  std::string_view network;
  bool public_before;
  bool public_after;
};

TEST(PublicAddresses, EndExactlyWhereASpecialNetworkBegins) {
  for (const auto& [text, before, after] : {
           Edge{"0.0.0.0/8", false, true},  // before it are no IPv4 addresses
           Edge{"10.0.0.0/8", true, true},          Edge{"100.64.0.0/10", true, true},
           Edge{"127.0.0.0/8", true, true},         Edge{"169.254.0.0/16", true, true},
           Edge{"172.16.0.0/12", true, true},       Edge{"192.0.0.0/24", true, true},
           Edge{"192.0.2.0/24", true, true},        Edge{"192.88.99.0/24", true, true},
           Edge{"192.168.0.0/16", true, true},      Edge{"198.18.0.0/15", true, true},
           Edge{"198.51.100.0/24", true, true},     Edge{"203.0.113.0/24", true, true},
           Edge{"224.0.0.0/4", true, false},        Edge{"240.0.0.0/4", false, false},
           Edge{"2001::/23", true, true},           Edge{"2001:db8::/32", true, true},
           Edge{"2002::/16", true, true},           Edge{"3fff::/20", true, true},
           Edge{"64:ff9b::7f00:0/104", true, true},  // NAT64 to loopback
           Edge{"64:ff9b::c0a8:0/112", true, true},  // NAT64 to 192.168.0.0/16
       }) {
    const IpNetwork network = parse_ip_network(text).value();
    EXPECT_FALSE(is_public_address(network.first)) << text;
    EXPECT_FALSE(is_public_address(last_of(network))) << text;
    EXPECT_EQ(is_public_address(beside(network.first, -1)), before) << text;
    EXPECT_EQ(is_public_address(beside(last_of(network), 1)), after) << text;
  }
}

TEST(PublicAddresses, OfIpv6AreOneEighth) {
  EXPECT_TRUE(is_public("2000::"));
  EXPECT_TRUE(is_public("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(is_public("1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(is_public("4000::"));
  for (const char* text : {"::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd12::1",
                           "ff02::1", "ff0e::1", "100::1", "5f00::1", "64:ff9b:1::808:808"}) {
    EXPECT_FALSE(is_public(text)) << text;
  }
}

TEST(PublicAddresses, AreJudgedByTheIpv4InThem) {
  EXPECT_TRUE(is_public("::ffff:8.8.8.8"));
  EXPECT_FALSE(is_public("::ffff:127.0.0.1"));
  EXPECT_FALSE(is_public("::ffff:a9fe:a9fe")) << "169.254.169.254, where clouds keep secrets";
  EXPECT_TRUE(is_public("64:ff9b::8.8.8.8"));
  EXPECT_FALSE(is_public("64:ff9b::10.0.0.1"));
  EXPECT_FALSE(is_public("::127.0.0.1")) << "IPv4-compatible, given up";
  EXPECT_FALSE(is_public("2002:7f00:1::")) << "6to4 to loopback";
  EXPECT_FALSE(is_public("255.255.255.255"));
  EXPECT_FALSE(is_public("100.127.255.255"));
}

}  // namespace
}  // namespace muster
