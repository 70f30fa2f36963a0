// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_header.h"

#include <gtest/gtest.h>

#include "net/testing.h"

namespace muster::net {
namespace {

using State = ProxyHeader::State;
using testing::proxy_header;

const std::string tcp4_addresses("\xC0\x00\x02\x07\x0A\x00\x00\x01\x12\x34\x01\xBB", 12);

std::string tcp6_addresses() {
  std::string out("\x20\x01\x0D\xB8", 4);
  out.append(11, '\0').append("\x07");
  return out.append(20, '\x01');
}

std::string client_of(std::string_view input) {
  const ProxyHeader header = decode_proxy_header(input);
  if (header.state != State::whole) return "not whole";
  return header.client ? format_ip_address(*header.client) : "none";
}

TEST(ProxyHeader, NamesTheClientOfBothFamilies) {
  EXPECT_EQ(client_of(proxy_header(0x21, 0x11, tcp4_addresses)), "192.0.2.7");
  EXPECT_EQ(client_of(proxy_header(0x21, 0x21, tcp6_addresses())), "2001:db8::7");
}

TEST(ProxyHeader, EndsBehindItsExtensions) {
  const std::string header =
      proxy_header(0x21, 0x11, tcp4_addresses + std::string("\x04\x00\x02zz", 5));
  const ProxyHeader decoded = decode_proxy_header(header + "GET /");
  EXPECT_EQ(decoded.state, State::whole);
  EXPECT_EQ(decoded.bytes, header.size());
}

TEST(ProxyHeader, LocalAndUnspecifiedNameNobody) {
  EXPECT_EQ(client_of(proxy_header(0x20, 0x00, "")), "none");
  EXPECT_EQ(client_of(proxy_header(0x20, 0x11, tcp4_addresses)), "none");
  EXPECT_EQ(client_of(proxy_header(0x21, 0x00, "")), "none");
}

TEST(ProxyHeader, IsIncompleteUntilItsLastByte) {
  const std::string header = proxy_header(0x21, 0x21, tcp6_addresses());
  for (std::size_t size = 0; size < header.size(); ++size) {
    const ProxyHeader decoded = decode_proxy_header(std::string_view(header).substr(0, size));
    ASSERT_EQ(decoded.state, State::incomplete) << size;
    ASSERT_EQ(decoded.bytes, size < proxy_prefix_bytes ? proxy_prefix_bytes : header.size());
  }
}

TEST(ProxyHeader, AnythingElseIsMalformedAtTheFirstWrongByte) {
  for (const std::string& input :
       {std::string("G"), std::string("\r\n\r\nX"), std::string("PROXY TCP4 192.0.2.7"),
        proxy_header(0x11, 0x11, tcp4_addresses), proxy_header(0x22, 0x11, tcp4_addresses),
        proxy_header(0x21, 0x12, tcp4_addresses), proxy_header(0x21, 0x31, std::string(216, 'u')),
        proxy_header(0x21, 0x11, tcp4_addresses.substr(1)),
        proxy_header(0x21, 0x21, tcp4_addresses)}) {
    EXPECT_EQ(decode_proxy_header(input).state, State::malformed);
  }
}

TEST(ProxyHeader, StaysWithinItsBound) {
  const std::size_t most = proxy_header_bytes_max - proxy_prefix_bytes - tcp4_addresses.size();
  EXPECT_EQ(client_of(proxy_header(0x21, 0x11, tcp4_addresses + std::string(most, 't'))),
            "192.0.2.7");
  const std::string over = proxy_header(0x21, 0x11, tcp4_addresses + std::string(most + 1, 't'));
  EXPECT_EQ(decode_proxy_header(std::string_view(over).substr(0, proxy_prefix_bytes)).state,
            State::malformed);
}

class ForwardedClient : public ::testing::Test {
 protected:
  std::string of(std::string_view list, std::string_view peer = "10.0.0.1") {
    return format_ip_address(forwarded_client(*parse_ip_address(peer), list, trusted));
  }
  const std::vector<IpNetwork> trusted = {parse_ip_network("10.0.0.0/8").value(),
                                          parse_ip_network("2001:db8::/32").value()};
};

TEST_F(ForwardedClient, IsTheRightMostThatIsNoProxy) {
  EXPECT_EQ(of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(of("198.51.100.1, 192.0.2.7"), "192.0.2.7") << "the left one is the client's own claim";
  EXPECT_EQ(of("198.51.100.1, 192.0.2.7, 10.9.9.9,2001:db8::5"), "192.0.2.7");
}

TEST_F(ForwardedClient, IsThePeerWhenThatIsNoProxy) {
  EXPECT_EQ(of("198.51.100.1", "192.0.2.7"), "192.0.2.7");
}

TEST_F(ForwardedClient, IsTheLastBelievedWhenTheListEndsOrIsBroken) {
  EXPECT_EQ(of(""), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.9"), "10.0.0.9");
  EXPECT_EQ(of("198.51.100.1, unknown, 10.0.0.9"), "10.0.0.9");
  EXPECT_EQ(of("198.51.100.1,,"), "10.0.0.1");
}

TEST_F(ForwardedClient, MayHaveAPort) {
  EXPECT_EQ(of("192.0.2.7:4711"), "192.0.2.7");
  EXPECT_EQ(of("[2001:db9::7]:4711"), "2001:db9::7");
  EXPECT_EQ(of("[2001:db9::7]"), "2001:db9::7");
  EXPECT_EQ(of("2001:db9::7"), "2001:db9::7");
}

}  // namespace
}  // namespace muster::net
