// SPDX-License-Identifier: Apache-2.0
#include "http/rate_limit.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "base/ip_address.h"

namespace muster::http {

namespace {

constexpr Duration window_length = std::chrono::seconds(60);
constexpr std::size_t ipv6_network_bytes = 8;

/// Nothing for an IPv4 address, and for what is none.
std::optional<IpNetwork> ipv6_network(std::string_view address) {
  auto parsed = parse_ip_address(address);
  if (!parsed || parsed->is_v4()) return std::nullopt;
  std::fill(parsed->bytes.begin() + ipv6_network_bytes, parsed->bytes.end(), std::uint8_t{0});
  return IpNetwork{*parsed, 8 * ipv6_network_bytes};
}

std::size_t shard_of(std::uint64_t key, std::size_t shards) {
  return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15U) >> 58) % shards;
}

/// Also when the clock went back: nobody waits longer than a window.
bool is_over(Instant start, Instant now) {
  return now - start >= window_length || now < start;
}

Error refused(Instant start, Instant now) {
  const Duration left = window_length - (now - start);
  const auto seconds = static_cast<int>((left.count() + 999) / 1000);
  return {Errc::rate_limited, "Rate limit exceeded", {}, std::max(seconds, 1)};
}

}  // namespace

Result<void> RateWindow::take(std::int64_t per_minute, Instant now) {
  if (per_minute == 0) return {};
  if (is_over(start, now)) *this = {now, 0};
  if (count >= per_minute) return refused(start, now);
  ++count;
  return {};
}

Result<void> RateLimit::take(std::uint64_t key, std::int64_t per_minute, Instant now) {
  if (per_minute == 0) return {};
  return windows_[shard_of(key, shards)].with([&](Windows& windows) -> Result<void> {
    auto found = windows.find(key);
    if (found == windows.end()) {
      if (windows.size() >= keys_max_ / shards) {
        boost::unordered::erase_if(
            windows, [&](const auto& entry) { return is_over(entry.second.start, now); });
        if (windows.size() >= keys_max_ / shards) return refused(now, now);
      }
      found = windows.emplace(key, RateWindow{now, 0}).first;
    }
    return found->second.take(per_minute, now);
  });
}

Result<void> RateLimit::peek(std::uint64_t key, std::int64_t per_minute, Instant now) const {
  if (per_minute == 0) return {};
  return windows_[shard_of(key, shards)].with([&](const Windows& windows) -> Result<void> {
    const auto found = windows.find(key);
    if (found == windows.end() || is_over(found->second.start, now)) return {};
    if (found->second.count >= per_minute) return refused(found->second.start, now);
    return {};
  });
}

std::uint64_t peer_key(std::string_view address) {
  constexpr std::hash<std::string_view> hash;
  const auto network = ipv6_network(address);
  if (!network) return hash(address);
  return hash({reinterpret_cast<const char*>(network->first.bytes.data()), ipv6_network_bytes});
}

std::string peer_source(std::string_view address) {
  const auto network = ipv6_network(address);
  return network ? format_ip_network(*network) : std::string(address);
}

}  // namespace muster::http
