// SPDX-License-Identifier: Apache-2.0
#include "base/ip_address.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

std::string canonical(std::string_view text) {
  const auto address = parse_ip_address(text);
  return address ? format_ip_address(*address) : "none";
}

bool holds(std::string_view network, std::string_view address) {
  return parse_ip_network(network).value().contains(*parse_ip_address(address));
}

std::string reread(std::string_view network) {
  const auto parsed = parse_ip_network(network);
  return parsed.ok() ? format_ip_network(*parsed) : "none";
}

TEST(IpAddress, IsShownInItsShortestForm) {
  EXPECT_EQ(canonical("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(canonical("2001:DB8:0:0:0:0:0:7"), "2001:db8::7");
  EXPECT_EQ(canonical("::1"), "::1");
}

TEST(IpAddress, MappedIsTheIpv4ThatItIs) {
  EXPECT_EQ(canonical("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(parse_ip_address("::ffff:192.0.2.7"), parse_ip_address("192.0.2.7"));
}

TEST(IpAddress, AnythingElseIsNone) {
  for (const std::string_view text :
       {"", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.4:80", "[::1]", "fe80::1%eth0", " 1.2.3.4",
        "256.0.0.1", "01.2.3.4x", "1111:2222:3333:4444:5555:6666:255.255.255.255:9999"}) {
    EXPECT_EQ(canonical(text), "none") << text;
  }
  EXPECT_EQ(canonical(std::string_view("1.2.3.4\0x", 9)), "none");
}

TEST(IpNetwork, HoldsWhatSharesItsPrefix) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(holds("192.0.2.64/26", "192.0.2.127"));
  EXPECT_FALSE(holds("192.0.2.64/26", "192.0.2.128"));
  EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(holds("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(holds("2001:db8::/32", "2001:db8:ffff::1"));
  EXPECT_FALSE(holds("2001:db8::/32", "2001:db9::1"));
  EXPECT_TRUE(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
}

TEST(IpNetwork, OfAllIpv6HoldsNoIpv4) {
  EXPECT_TRUE(holds("::/0", "2001:db8::1"));
  EXPECT_FALSE(holds("::/0", "192.0.2.7"));
  EXPECT_TRUE(holds("0.0.0.0/0", "192.0.2.7"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
}

TEST(IpNetwork, IsWrittenAsItWasRead) {
  for (const std::string_view text : {"10.0.0.0/8", "2001:db8::/32", "::/0", "0.0.0.0/0"}) {
    EXPECT_EQ(reread(text), text);
  }
  EXPECT_EQ(reread("192.0.2.7"), "192.0.2.7/32");
  EXPECT_EQ(reread("::1"), "::1/128");
}

TEST(IpNetwork, MistakesAreRefused) {
  for (const std::string_view text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129",
                                      "10.0.0.0/8 ", "10.0.0.7/8", "2001:db8::1/32", "proxy/8"}) {
    EXPECT_EQ(reread(text), "none") << text;
  }
}

}  // namespace
}  // namespace muster
