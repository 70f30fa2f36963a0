// SPDX-License-Identifier: Apache-2.0
// What comes before TLS and before any proof: a header never reads beyond its input, says the same
// whether it comes whole or byte by byte, and is bounded.
#include "net/proxy_header.h"

#include "base/check.h"

using namespace muster;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using State = net::ProxyHeader::State;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const net::ProxyHeader whole = net::decode_proxy_header(input);
  CHECK(whole.bytes <= net::proxy_header_bytes_max);
  CHECK(whole.state != State::whole || whole.bytes <= size);
  CHECK(whole.state != State::incomplete || whole.bytes > size);
  net::ProxyHeader grown;
  for (std::size_t seen = 0; seen <= size && grown.state == State::incomplete; ++seen) {
    grown = net::decode_proxy_header(input.substr(0, seen));
  }
  CHECK(grown.state == whole.state && grown.client == whole.client);
  const std::vector<IpNetwork> trusted = {IpNetwork{}};
  net::forwarded_client(IpAddress{}, input, trusted);
  return 0;
}
