// SPDX-License-Identifier: Apache-2.0
#include "agent/phase.h"

#include <span>

#include "base/check.h"
#include "crypto/keyed_hash.h"

namespace muster::agent {

std::uint64_t phase_of(std::string_view id) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(id.data());
  const auto hash = crypto::content_hash(std::span(octets, id.size()));
  std::uint64_t phase = 0;
  for (const std::uint8_t octet : std::span(hash).first<8>()) phase = phase << 8 | octet;
  return phase;
}

Duration until_phase(std::uint64_t phase, Instant now, Duration period) {
  CHECK(period.count() > 0);
  const std::int64_t length = period.count();
  const auto place = static_cast<std::int64_t>(phase % static_cast<std::uint64_t>(length));
  // A clock before the epoch counts too: what is left of it has the sign of `now`.
  const std::int64_t wait = place - now.unix_ms % length;
  return Duration((wait % length + length) % length);
}

}  // namespace muster::agent
