// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_header.h"

#include <algorithm>

#include "base/text.h"

namespace muster::net {

namespace {

constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);

constexpr unsigned command_local = 0x20;  // version 2 in the upper half
constexpr unsigned command_proxy = 0x21;
constexpr unsigned family_none = 0x00;
constexpr unsigned family_tcp4 = 0x11;
constexpr unsigned family_tcp6 = 0x21;
constexpr std::size_t tcp4_bytes = 12;  // two addresses, two ports
constexpr std::size_t tcp6_bytes = 36;

unsigned byte_at(std::string_view input, std::size_t index) {
  return static_cast<unsigned char>(input[index]);
}

IpAddress address_at(std::string_view bytes, unsigned family) {
  if (family == family_tcp4) return ipv4_address(bytes.data());
  IpAddress out;
  std::copy_n(bytes.begin(), out.bytes.size(), out.bytes.begin());
  return out;
}

/// "192.0.2.7", "192.0.2.7:1234", "2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:1234".
std::optional<IpAddress> parse_entry(std::string_view entry) {
  if (entry.starts_with('[')) {
    const auto end = entry.find(']');
    return end == std::string_view::npos ? std::nullopt
                                         : parse_ip_address(entry.substr(1, end - 1));
  }
  const auto colon = entry.find(':');
  const bool has_port = colon != std::string_view::npos && colon == entry.rfind(':');
  return parse_ip_address(has_port ? entry.substr(0, colon) : entry);
}

}  // namespace

ProxyHeader decode_proxy_header(std::string_view input) {
  using State = ProxyHeader::State;
  const std::size_t seen = std::min(input.size(), signature.size());
  if (input.substr(0, seen) != signature.substr(0, seen)) return {State::malformed};
  if (input.size() < proxy_prefix_bytes) return {State::incomplete};
  const unsigned command = byte_at(input, 12);
  const unsigned family = byte_at(input, 13);
  const std::size_t length = byte_at(input, 14) << 8 | byte_at(input, 15);
  const std::size_t bytes = proxy_prefix_bytes + length;
  if (command != command_local && command != command_proxy) return {State::malformed};
  if (bytes > proxy_header_bytes_max) return {State::malformed};
  // Whatever a LOCAL header says of addresses is to be ignored.
  const bool addressed = command == command_proxy && family != family_none;
  if (addressed && family != family_tcp4 && family != family_tcp6) return {State::malformed};
  const std::size_t needed = family == family_tcp4 ? tcp4_bytes : tcp6_bytes;
  if (addressed && length < needed) return {State::malformed};
  if (input.size() < bytes) return {State::incomplete, bytes};
  ProxyHeader out{State::whole, bytes};
  if (addressed) out.client = address_at(input.substr(proxy_prefix_bytes), family);
  return out;
}

IpAddress forwarded_client(const IpAddress& peer, std::string_view list,
                           const std::vector<IpNetwork>& trusted) {
  IpAddress client = peer;
  while (contains(trusted, client)) {
    const auto comma = list.rfind(',');
    const std::size_t start = comma == std::string_view::npos ? 0 : comma + 1;
    const auto entry = parse_entry(trim(list.substr(start)));
    if (!entry) break;
    client = *entry;
    if (start == 0) break;
    list = list.substr(0, comma);
  }
  return client;
}

}  // namespace muster::net
