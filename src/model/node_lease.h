// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/limits.h"
#include "base/time.h"

/// Leases of servers that share a database (mission rule 1), as pure rules.
///
/// Each server renews its row: it adds one to `renewals` and writes up to where it follows what the
/// others changed. It may serve agents for limits::node_lease from the moment before it asked. Who
/// revokes a key waits until every other row either has followed the revocation or has not been
/// renewed for longer than a lease. Each measures with its own clock of elapsed time, so the
/// servers' clocks need not agree, they only need to run at the same speed, within
/// limits::node_lease_margin.
namespace muster::model {

/// Time since some moment of this machine's, sleep included; never set back.
using Uptime = Duration;

/// A server's own right to serve.
struct NodeLease {
  Uptime until{0};

  /// After a renewal that was asked for at `asked` took effect.
  static NodeLease renewed(Uptime asked) { return {asked + limits::node_lease}; }
  bool holds(Uptime now) const { return now < until; }
};

/// What one server has seen of another's row.
struct NodeWatch {
  std::int64_t renewals = -1;
  Uptime since{0};

  /// Takes in the row as it was read at or after `looked`. True if the other's lease is over unless
  /// it renews meanwhile: nobody renewed for longer than a lease lasts.
  bool has_lapsed(std::int64_t renewals_now, Uptime looked) {
    if (renewals_now != renewals) *this = {renewals_now, looked};
    return looked - since >= limits::node_lease + limits::node_lease_margin;
  }
};

}  // namespace muster::model
