// SPDX-License-Identifier: Apache-2.0
#include "net/remote.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

namespace muster::net {

namespace {

/// Hosts of each 127.0.X.0/24 that connections come from: .1 to .254.
constexpr std::uint32_t hosts_of_network = 254;

struct Free {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

}  // namespace

bool Remote::is_loopback() const {
  if (family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  return std::memcmp(&v6.sin6_addr, &in6addr_loopback, sizeof v6.sin6_addr) == 0;
}

Result<Remote> resolve(const Origin& origin, bool loopback_only) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failure =
      getaddrinfo(origin.host.c_str(), std::to_string(origin.port).c_str(), &hints, &list);
  if (failure != 0) return Error{Errc::unavailable, origin.host + ": " + gai_strerror(failure)};
  const std::unique_ptr<addrinfo, Free> owned(list);
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    Remote remote;
    std::memcpy(&remote.address, at->ai_addr, at->ai_addrlen);
    remote.size = at->ai_addrlen;
    if (!loopback_only || remote.is_loopback()) return remote;
  }
  return Error{Errc::unavailable, origin.host + ": no usable address"};
}

bool bind_loopback(int socket, const Remote& remote, std::uint32_t number) {
  if (remote.family() != AF_INET || !remote.is_loopback()) return true;
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr =
      htonl(INADDR_LOOPBACK + number / hosts_of_network * 256 + number % hosts_of_network);
  // The port is chosen by connect(), which knows that it need be free towards this server only.
  const int on = 1;
  setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&source), sizeof source) == 0;
}

bool begin_connect(int socket, const Remote& remote) {
  const int begun =
      ::connect(socket, reinterpret_cast<const sockaddr*>(&remote.address), remote.size);
  return begun == 0 || errno == EINPROGRESS;
}

}  // namespace muster::net
