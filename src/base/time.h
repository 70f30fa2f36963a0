// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster {

using Duration = std::chrono::milliseconds;

/// A moment in UTC, in milliseconds since the Unix epoch. Handlers receive it in the request and
/// never read a clock, so the product runs unchanged under a fake one.
struct Instant {
  std::int64_t unix_ms = 0;

  friend auto operator<=>(const Instant&, const Instant&) = default;
  friend Instant operator+(Instant at, Duration by) { return {at.unix_ms + by.count()}; }
  friend Instant operator-(Instant at, Duration by) { return {at.unix_ms - by.count()}; }
  friend Duration operator-(Instant a, Instant b) { return Duration(a.unix_ms - b.unix_ms); }
};

/// Where time comes from: SystemClock in `main`, FakeClock in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
};

/// Reads an RFC 3339 date-time ("2026-03-21T14:30:00.123456789Z", any offset, fraction of up to
/// nine digits, cut to milliseconds, leap second read as :59.999). Fails with invalid_field.
Result<Instant> parse_rfc3339(std::string_view text);

/// "2026-03-21T14:30:01Z": whole seconds, UTC.
std::string format_rfc3339(Instant at);
/// Appends the same 20 characters to `out`.
void append_rfc3339(std::string& out, Instant at);

}  // namespace muster
