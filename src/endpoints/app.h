// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/random.h"
#include "endpoints/failure_log.h"
#include "endpoints/server/machine_use.h"
#include "http/rate_limit.h"
#include "http/response.h"

namespace muster::store {
class Store;
}
namespace muster::crypto {
class SigningKey;
}
namespace muster::fleet {
class Credentials;
class Nodes;
class PresenceTable;
class HostDirectory;
class KnownPackages;
class Catalogue;
class ReportMarks;
class KeyUses;
class AgentScripts;
class Settings;
class ToldReleases;
class FleetHealth;
class KeySchedule;
class CloneWatch;
class RetiredKeyWatch;
class FeedSyncs;
class RefusalWatch;
class RefusedSignIns;
class OidcProvider;
class Changes;
class Watchers;
struct TaskBoard;
}  // namespace muster::fleet

namespace muster::endpoints {

/// What only grows, for /metrics.
struct Counters {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> refused = 0;            // answered with 4xx
  std::atomic<std::uint64_t> unavailable = 0;        // answered with 503
  std::atomic<std::uint64_t> mended_reports = 0;     // fielded bodies that lacked a brace
  std::atomic<std::uint64_t> software_drifts = 0;    // reporters that named another set than ours
  std::atomic<std::uint64_t> fenced_enrolments = 0;  // with a token that was not for the machine
  std::atomic<std::uint64_t> asked_to_wait = 0;      // heartbeats that were answered so
};

/// A file of the console, as the build made it; the octets are the program's own.
struct ConsoleFile {
  std::string_view path;  // "/assets/index-Dq3X.js"
  std::string_view content_type;
  std::string_view etag;  // without quotes
  std::string_view plain;
  std::string_view gzip;   // the same, RFC 1952
  bool immutable = false;  // its name changes with its content
};

/// How the server presents itself.
struct ServerFace {
  std::string url;                            // that agents are told
  std::string public_key;                     // base64 of the key that signs updates
  std::string_view openapi;                   // the document of GET /openapi.json
  std::span<const ConsoleFile> console = {};  // none: it was built without
  std::vector<StartFlag> flags = {};          // that it was started with
  bool behind_proxy = false;                  // then a peer on loopback may be anybody
  /// Unix time; 0 without TLS of our own. May change at any time.
  std::atomic<std::int64_t> certificate_expires_at_seconds = 0;
};

/// The parts of the server that endpoints may reach. Everything is owned by `main` and outlives
/// every request.
struct App {
  const Config& config;
  store::Store& store;
  Rng& rng;
  NumberIds& ids;
  Log& log;
  fleet::Credentials& credentials;
  fleet::Nodes& nodes;
  fleet::PresenceTable& presence;
  fleet::HostDirectory& directory;
  fleet::KnownPackages& packages;
  fleet::Catalogue& catalogue;
  fleet::Settings& settings;
  fleet::ReportMarks& marks;
  fleet::KeyUses& key_uses;
  fleet::AgentScripts& scripts;
  fleet::ToldReleases& told_releases;
  const crypto::SigningKey& signing_key;
  const fleet::TaskBoard& tasks;
  fleet::FleetHealth& health;
  const fleet::KeySchedule& keys;
  fleet::CloneWatch& clones;
  fleet::RetiredKeyWatch& retired_keys;
  fleet::FeedSyncs& feed_syncs;
  fleet::RefusalWatch& refusals;
  fleet::RefusedSignIns& refused_sign_ins;
  fleet::OidcProvider& oidc;
  fleet::Changes& changes;
  fleet::Watchers& watchers;
  const ServerFace& face;
  /// Empty where no machine is: in tests and simulations. Safe from any thread.
  std::function<MachineUse()> machine_use = {};

  /// When the store last answered (Wiring::ask_store), as Unix time.
  std::atomic<std::int64_t> store_answered_at_ms = 0;
  /// False until `face` is complete; until then every call is answered 503.
  std::atomic<bool> ready = false;

  http::RateLimit report_limit{};
  http::RateLimit heartbeat_limit{};
  http::RateLimit config_limit{};
  http::RateLimit command_limit{};
  http::RateLimit scan_limit{};
  http::RateLimit update_limit{};
  http::RateLimit script_limit{};
  http::RateLimit enroll_limit{};
  http::RateLimit download_limit{100'000};
  http::RateLimit failed_enrolments{100'000};
  http::RateLimit failed_sign_ins{100'000};
  Counters counters{};
  FailureLog failures{log};
};

}  // namespace muster::endpoints
