// SPDX-License-Identifier: Apache-2.0
#include "base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace muster {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;

bool same_bits(const IpAddress& a, const IpAddress& b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + whole, b.bytes.begin())) return false;
  if (bits % 8 == 0) return true;
  const unsigned left = 8 - bits % 8;
  return (a.bytes[whole] >> left) == (b.bytes[whole] >> left);
}

std::optional<unsigned> parse_bits(std::string_view text, unsigned max) {
  unsigned bits = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), bits);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && bits <= max ? std::optional(bits) : std::nullopt;
}

Error not_a_network(std::string_view text, std::string_view why) {
  return {Errc::invalid_field, "\"" + std::string(text) + "\" " + std::string(why)};
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
}

IpAddress ipv4_address(const void* bytes) {
  IpAddress out;
  std::copy(mapped_prefix.begin(), mapped_prefix.end(), out.bytes.begin());
  std::memcpy(out.bytes.data() + mapped_prefix.size(), bytes, sizeof(in_addr));
  return out;
}

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.data(), &v4) == 1) return ipv4_address(&v4);
  IpAddress out;
  if (inet_pton(AF_INET6, terminated.data(), out.bytes.data()) == 1) return out;
  return std::nullopt;
}

std::string format_ip_address(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.is_v4()) {
    inet_ntop(AF_INET, address.bytes.data() + mapped_prefix.size(), text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, address.bytes.data(), text.data(), text.size());
  }
  return text.data();
}

bool IpNetwork::contains(const IpAddress& address) const {
  return first.is_v4() == address.is_v4() && same_bits(first, address, bits);
}

Result<IpNetwork> parse_ip_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto first = parse_ip_address(text.substr(0, slash));
  if (!first) return not_a_network(text, "is not an address or network");
  if (slash == std::string_view::npos) return IpNetwork{*first, 128};
  const unsigned implied = first->is_v4() ? mapped_bits : 0;
  const auto bits = parse_bits(text.substr(slash + 1), 128 - implied);
  if (!bits) return not_a_network(text, "has no valid prefix length");
  IpNetwork out{*first, implied + *bits};
  for (unsigned bit = out.bits; bit < 128; ++bit) {
    if ((first->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) {
      return not_a_network(text, "has bits set behind its prefix");
    }
  }
  return out;
}

std::string format_ip_network(const IpNetwork& network) {
  const unsigned implied = network.first.is_v4() ? mapped_bits : 0;
  return format_ip_address(network.first) + "/" + std::to_string(network.bits - implied);
}

bool contains(const std::vector<IpNetwork>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const IpNetwork& network) { return network.contains(address); });
}

}  // namespace muster
