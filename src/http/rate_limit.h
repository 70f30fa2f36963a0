// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/guarded.h"
#include "base/result.h"
#include "base/time.h"

namespace muster::http {

/// The calls of one key in a fixed window of 60 s from the first of them.
struct RateWindow {
  /// Counts one call. Fails with rate_limited and the seconds left in the window once `per_minute`
  /// calls were counted in it; 0 is no limit.
  Result<void> take(std::int64_t per_minute, Instant now);

  Instant start;
  std::int64_t count = 0;
};

/// Fixed windows of 60 s, each from a key's first call (design: wire decisions, "limits"). Callers
/// are proved before they are counted, so the number of keys is bounded by what the server issued;
/// `failures` of unproved peers are bounded by `keys_max` instead. Safe from several threads.
class RateLimit {
 public:
  explicit RateLimit(std::size_t keys_max = 1'000'000) : keys_max_(keys_max) {}

  /// Counts one call of `key`. Fails with rate_limited and the seconds left in the window once
  /// `per_minute` calls were counted in it; 0 is no limit.
  Result<void> take(std::uint64_t key, std::int64_t per_minute, Instant now);

  /// As take(), without counting: would the next call be refused?
  Result<void> peek(std::uint64_t key, std::int64_t per_minute, Instant now) const;

 private:
  using Windows = boost::unordered_flat_map<std::uint64_t, RateWindow>;
  static constexpr std::size_t shards = 64;

  std::size_t keys_max_;
  std::array<Guarded<Windows>, shards> windows_;
};

/// By what a peer is counted that has proved nothing: its address, and of IPv6 the /64 that it is
/// in, for a host there has as many addresses as it likes (RFC 4291 2.5.4, RFC 8981).
std::uint64_t peer_key(std::string_view address);
/// The same to be read: "192.0.2.1", or "2001:db8:0:1::/64"; what is no address as it is.
std::string peer_source(std::string_view address);

}  // namespace muster::http
