// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace muster {

/// 128 bits, written as RFC 9562 text.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
  std::string text() const;
};

/// Reads 8-4-4-4-12 hexadecimal digits in any case. Fails with invalid_field.
Result<Uuid> parse_uuid(std::string_view text);

/// UUIDv7 (RFC 9562 5.7): 48 bits of milliseconds, then random bits, so ids sort by age.
Uuid make_uuid7(Rng& rng, Instant now);

/// A number that is only ever an id of one kind. Sent as a JSON number, so always below 2^53.
template <typename Tag>
struct NumberId {
  std::int64_t value = 0;
  friend auto operator<=>(const NumberId&, const NumberId&) = default;
};

/// A UUID that is only ever an id of one kind.
template <typename Tag>
struct UuidId {
  Uuid uuid;
  friend auto operator<=>(const UuidId&, const UuidId&) = default;
  std::string text() const { return uuid.text(); }
};

using OrgId = NumberId<struct OrgTag>;
using HostId = NumberId<struct HostTag>;        // `asset_id` on the wire
using PackageId = NumberId<struct PackageTag>;  // dense within an organisation
using FindingId = NumberId<struct FindingTag>;
using AcceptanceId = NumberId<struct AcceptanceTag>;
using ImageId = NumberId<struct ImageTag>;
using EventId = NumberId<struct EventTag>;
using AuditId = NumberId<struct AuditTag>;
using KeyId = NumberId<struct KeyTag>;                // inventory key
using TokenId = NumberId<struct TokenTag>;            // enrolment token
using OperatorId = NumberId<struct OperatorTag>;      // operator token
using SessionId = NumberId<struct SessionTag>;        // of the console
using PasskeyId = NumberId<struct PasskeyTag>;        // of an operator
using IdentityId = NumberId<struct IdentityTag>;      // of an operator, with a provider
using GenerationId = NumberId<struct GenerationTag>;  // of a feed's advisories
using AgentId = UuidId<struct AgentTag>;
using TaskId = UuidId<struct TaskTag>;

inline constexpr std::int64_t number_id_max = (std::int64_t{1} << 53) - 1;

/// Hands out ids below 2^53 that sort by age: 41 bits of milliseconds since 2026 (69 years) and 12
/// bits that start at random in each millisecond. Never repeats within a process, nor do processes
/// that keep to places of their own; others may meet, and the primary key says so. Safe from
/// several threads.
class NumberIds {
 public:
  /// Of processes that write to one database at the same time. With 64 ids a millisecond for each
  /// none is short of them: those of a burst are of the milliseconds to come.
  static constexpr std::int64_t places = 64;

  explicit NumberIds(Rng& rng) : rng_(rng) {}

  /// Not above any id that next() gives at `at` or later.
  template <typename Id>
  static Id first(Instant at) {
    return Id{first_value(at)};
  }

  template <typename Id>
  Id next(Instant now) {
    return Id{next_value(now)};
  }

  /// From now on only ids that no process gives which keeps to another place, in [0, places).
  void keep_to(std::int64_t place);

 private:
  static constexpr std::int64_t any_place = -1;

  static std::int64_t first_value(Instant at);
  std::int64_t next_value(Instant now);

  Rng& rng_;
  std::atomic<std::int64_t> last_ = 0;
  std::atomic<std::int64_t> place_ = any_place;
};

}  // namespace muster

template <>
struct std::hash<muster::Uuid> {
  std::size_t operator()(const muster::Uuid& id) const noexcept {
    std::uint64_t low = 0;
    std::memcpy(&low, id.bytes.data() + 8, sizeof low);
    return static_cast<std::size_t>(low);
  }
};
template <typename Tag>
struct std::hash<muster::UuidId<Tag>> {
  std::size_t operator()(const muster::UuidId<Tag>& id) const noexcept {
    return std::hash<muster::Uuid>{}(id.uuid);
  }
};
template <typename Tag>
struct std::hash<muster::NumberId<Tag>> {
  std::size_t operator()(const muster::NumberId<Tag>& id) const noexcept {
    return static_cast<std::size_t>(static_cast<std::uint64_t>(id.value) * 0x9E3779B97F4A7C15U);
  }
};
