// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/descriptor.h"
#include "net/origin.h"
#include "net/socket_bio.h"

struct addrinfo;

namespace muster::net {

/// When a blocking call gives up. Monotonic, since waits must not follow the wall clock.
using Deadline = std::chrono::steady_clock::time_point;

/// A socket connected to the first of `addresses` that takes it, tried in their order. Each has an
/// equal share of the time that is left when its turn comes: one that never answers must not cost
/// those after it. Fails with unavailable and the last one's reason.
Result<Descriptor> connect_to_first(const std::vector<const addrinfo*>& addresses,
                                    Deadline deadline);

/// How far a read or write came.
struct Moved {
  enum class End { more, closed, timed_out, failed };
  std::size_t bytes = 0;
  End end = End::more;
  std::string why = {};  // timed_out, failed, closed by a reset

  bool ok() const { return end == End::more; }
};

/// A connected TCP socket, plain or TLS, whose calls wait with poll() until a deadline.
class BlockingStream {
 public:
  BlockingStream() = default;

  /// Resolves and connects, trying each address; shakes hands if `context` is not null, verifying
  /// the certificate for `origin.host`. A plain stream connects to loopback addresses only. Fails
  /// with unavailable and the reason in words. Resolving itself is not bounded by `deadline`.
  static Result<BlockingStream> connect(const Origin& origin, SSL_CTX* context, Deadline deadline);

  ~BlockingStream();
  BlockingStream(BlockingStream&&) noexcept = default;
  BlockingStream& operator=(BlockingStream&& other) noexcept;

  /// At least one byte, or why not.
  Moved read_some(std::span<char> out, Deadline deadline);
  /// All of `bytes`, or why not. A plain stream also stops, with `more` and fewer bytes, when the
  /// peer speaks before it has taken everything: an early refusal.
  Moved write(std::string_view bytes, Deadline deadline);

  explicit operator bool() const { return static_cast<bool>(socket_); }
  void close();

 private:
  BlockingStream(Descriptor socket, SslPtr ssl)
      : socket_(std::move(socket)), ssl_(std::move(ssl)) {}
  static Result<void> shake_hands(int socket, SSL* ssl, Deadline deadline);
  Moved write_plain(std::string_view bytes, Deadline deadline);
  Moved write_tls(std::string_view bytes, Deadline deadline);

  Descriptor socket_;
  SslPtr ssl_;
};

}  // namespace muster::net
