// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/transport.h"
#include "base/ids.h"
#include "base/seeded_rng.h"
#include "base/time.h"
#include "swarm/scenario.h"
#include "swarm/software_pool.h"
#include "swarm/tally.h"

namespace muster::swarm {

/// What the fleet is let in with.
struct Access {
  std::string enrolment_token;
  std::vector<std::string> site_keys;  // one for each of Scenario::sites()
  std::string operator_token;
};

/// What the hosts share, and may ask of the swarm that drives them.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual const Scenario& scenario() const = 0;
  virtual const SoftwarePool& pool() const = 0;
  virtual const Access& access() const = 0;
  /// Since the swarm began; never goes back.
  virtual Micros now() const = 0;
  virtual Instant wall() const = 0;
  /// Sends `call`, which was due at `due`; its end comes by answered(). One at a time for a host.
  virtual void send(std::uint32_t host, Kind kind, const agent::Call& call, Micros due) = 0;
  /// Calls wake() at `when`, and no longer at what was asked for before.
  virtual void wake_at(std::uint32_t host, Micros when) = 0;
  /// A heartbeat of this host got through.
  virtual void has_beaten(std::uint32_t host) = 0;
};

/// A host of the fleet. It may call its surroundings, which never call back from within.
class Host {
 public:
  virtual ~Host() = default;
  /// Switched on.
  virtual void start() = 0;
  /// Its power is gone: what was in memory is lost, and no answer will come.
  virtual void stop() = 0;
  virtual void wake() = 0;
  virtual void answered(Result<agent::Answer> answer) = 0;
  /// Set up anew: knows nothing of its former life. Only while no answer is awaited.
  virtual void rebuild() {}
  /// As which tasks reach it; nothing when they do not.
  virtual std::optional<AgentId> agent() const { return std::nullopt; }
};

/// Chance in a host: a stream of its own, so that one more draw on one host leaves all others as
/// they were.
inline SeededRng rng_of(const Scenario& scenario, std::uint32_t host) {
  return SeededRng(SeededRng(static_cast<std::uint64_t>(scenario.fleet_seed)).next_u64() + host);
}

/// From 0 to `most`, both included.
inline Micros up_to(SeededRng& rng, Micros most) {
  return Micros(static_cast<std::int64_t>(rng.below(static_cast<std::size_t>(most.count()) + 1)));
}

inline bool chance(SeededRng& rng, std::int64_t in_a_million) {
  return static_cast<std::int64_t>(rng.below(1'000'000)) < in_a_million;
}

std::string hostname_of(std::uint32_t host);

/// How the software of one host changes: which revision it is at, and when the next comes.
class Changes {
 public:
  Changes(const Scenario& scenario, std::uint32_t host, SeededRng& rng, Micros now);
  std::uint32_t variant() const { return variant_; }
  /// Now; takes the changes that were due.
  std::uint32_t revision(SeededRng& rng, Micros now);

 private:
  Micros gap(SeededRng& rng) const;

  Micros mean_gap_{0};  // 0: never
  Micros next_{0};
  std::uint32_t variant_;
  std::uint32_t revision_ = 0;
};

}  // namespace muster::swarm
