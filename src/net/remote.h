// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "base/result.h"
#include "net/origin.h"

namespace muster::net {

/// One address of a server, resolved once.
struct Remote {
  sockaddr_storage address{};
  socklen_t size = 0;

  int family() const { return address.ss_family; }
  bool is_loopback() const;
};

/// The first address of `origin` that may be used; the call blocks. Fails with unavailable.
Result<Remote> resolve(const Origin& origin, bool loopback_only);

/// Lets a connection to a loopback address of IPv4 come from 127.0.0.0/8's host `number`, counted
/// from 127.0.0.1; for any other address nothing happens. False with errno.
bool bind_loopback(int socket, const Remote& remote, std::uint32_t number);

/// Begins to connect a non-blocking socket. False with errno.
bool begin_connect(int socket, const Remote& remote);

}  // namespace muster::net
