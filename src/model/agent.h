// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "model/agent_keys.h"
#include "model/set_hash.h"

namespace muster::model {

enum class AgentStatus : std::uint8_t {
  active,
  disabled,        // by an operator; its key is known and refused
  superseded,      // its host enrolled again and the new agent has called; may_return() may hold
  decommissioned,  // by an operator, for good
  uninstalled,     // it reported that it removes itself
};
std::string_view agent_status_name(AgentStatus status);
std::optional<AgentStatus> parse_agent_status(std::string_view text);
/// Whether it is of no host any more. Only its own call may bring it back, see may_return().
constexpr bool is_ended(AgentStatus status) {
  return status == AgentStatus::superseded || status == AgentStatus::decommissioned ||
         status == AgentStatus::uninstalled;
}

/// Whether its keys are known at all. One that was uninstalled may repeat the result that said so.
constexpr bool keeps_keys(AgentStatus status) {
  return !is_ended(status) || status == AgentStatus::uninstalled;
}

/// After every id that there is: where a list that begins with the newest starts.
inline constexpr AgentId last_agent_id = {Uuid{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}};

/// An enrolled identity with its own key.
struct Agent {
  OrgId org;
  AgentId id;
  HostId host;
  AgentStatus status = AgentStatus::active;
  std::string os;            // windows, linux, darwin
  std::string arch;          // amd64, arm64
  crypto::KeyHash key_hash;  // of keys.current
  AgentKeys keys;
  std::optional<Instant> key_since;       // first use of keys.current; none while it is not used
  std::optional<Instant> key_offered_at;  // since when keys.offered is; none while none is
  Instant enrolled_at;
  TokenId token;
  std::string enrolled_from;  // address of the peer
  std::string machine_id;     // as it enrolled with; may be empty
  /// Of an agent that was split from another, with whose id its machine goes on calling.
  struct Origin {
    AgentId agent;  // that it was split from
    AgentId alias;  // the id that the machine has
    friend bool operator==(const Origin&, const Origin&) = default;
  };
  std::optional<Origin> origin;
  /// When it was superseded; none if it was for good, see may_return().
  std::optional<Instant> superseded_at;
};

/// What an agent says about its machine in a heartbeat; members it did not send are negative.
struct Vitals {
  double uptime_seconds = -1;
  double cpu_percent = -1;
  double memory_mb = -1;
  double total_memory_mb = -1;
  double disk_free_mb = -1;
  double process_cpu_percent = -1;
  double process_memory_mb = -1;
};

/// The machine. Its software is a package set (fleet/inventory).
struct Host {
  OrgId org;
  HostId id;
  std::string hostname;
  std::string machine_id;
  bool machine_shared = false;  // the id has been seen on two machines at once: it names neither
  std::string os_name;
  std::string os_version;
  std::string os_kernel;
  std::string arch;
  std::string distro;
  std::string ip_address;
  std::vector<std::string> tags;           // as it reports them
  std::vector<std::string> operator_tags;  // as operators and enrolment tokens put them
  Instant first_seen;
  Instant last_seen;
  std::optional<Instant> last_report_at;
  std::optional<crypto::KeyHash> package_set;
  std::int64_t package_count = 0;
  std::optional<AgentId> software_agent;  // whose report the set is of; none: a site's
  std::int64_t held_packages = 0;         // of the set: reported gone, and held for review
  std::optional<SetHash> set_hash;        // of the set without what is held; none: nobody asks
  std::optional<Instant> last_full_at;    // when a full report came last
};

/// All tags of a host, its own first; each once.
std::vector<std::string> all_tags(const Host& host);

/// Online, offline, or unknown: the server itself has not been up long enough to tell.
enum class Presence : std::uint8_t { online, offline, unknown };
std::string_view presence_name(Presence presence);

/// Presence from facts (mission rules 5 and 6): silent for `offline_after` is offline, but the
/// time before `server_started` is the server's own silence.
Presence presence_of(Instant last_seen, Instant server_started, Duration offline_after,
                     Instant now);

}  // namespace muster::model
