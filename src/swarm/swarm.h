// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "swarm/host.h"
#include "swarm/outcome.h"
#include "swarm/process_use.h"
#include "swarm/wire.h"

namespace muster::swarm {

/// How a run goes, each second.
struct Progress {
  double seconds = 0;
  bool measuring = false;
  std::uint32_t up = 0;
  std::uint32_t hosts = 0;
  std::uint64_t calls_per_second = 0;  // that ended in the last one
  double p99_ms = 0;                   // since measuring began, or before
  std::uint64_t errors = 0;
};

/// A simulated fleet: hosts that call a server as a scenario says, on one thread. What they do and
/// in which order follows from the seed and from the moments at which answers come.
class Swarm final : private Surroundings {
 public:
  /// Connections beside the hosts': one to give tasks, one for /metrics.
  static constexpr std::uint32_t extra_connections = 2;

  /// `server_use` reads what the server's process has used, if it is known. `wire` outlives this.
  Swarm(Wire& wire, Scenario scenario, SoftwarePool pool, Access access,
        std::function<std::optional<ProcessUse>()> server_use = {});
  ~Swarm() override;

  /// Runs the scenario, once. `each_second` may end it early by false: what was measured by then is
  /// the outcome.
  Outcome run(const std::function<bool(const Progress&)>& each_second);

 private:
  /// What the swarm knows of a host's call and presence.
  struct Line {
    Micros due{0};
    Micros sent{0};
    std::uint32_t wake = 0;  // number of the wake that counts
    Kind kind = Kind::enrolment;
    bool waiting = false;  // for an answer
    bool loses = false;    // that answer, by a fault of the scenario
    bool known = false;    // has beaten once
    bool away = false;     // cut off since its last heartbeat
  };
  struct Wake {
    Micros when{0};
    std::uint64_t order = 0;  // among those of one moment
    std::uint32_t host = 0;
    std::uint32_t number = 0;
    friend bool operator>(const Wake& a, const Wake& b) {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };
  /// Hosts that are switched on one after another.
  struct SwitchingOn {
    Micros begin{0};
    Micros within{0};
    std::uint32_t next = 0;
  };

  // Surroundings.
  const Scenario& scenario() const override { return scenario_; }
  const SoftwarePool& pool() const override { return pool_; }
  const Access& access() const override { return access_; }
  Micros now() const override { return now_; }
  Instant wall() const override { return wire_.wall(); }
  void send(std::uint32_t host, Kind kind, const agent::Call& call, Micros due) override;
  void wake_at(std::uint32_t host, Micros when) override;
  void has_beaten(std::uint32_t host) override;

  void make_hosts();
  Micros next_moment() const;
  void take(net::ClientFleet::Event& event);
  void end_call(std::uint32_t host, End end, Result<agent::Answer> answer);
  void switch_on();
  void wake_due();
  void tell_lost();
  void go_away(std::uint32_t host);

  void change_phase();
  void begin_measuring();
  void lose_power();
  void each_second();
  Tally& tally_of(Micros due);

  void rebuild_some();
  void give_tasks();
  std::string task_order();
  void took_tasks(const net::ClientFleet::Event& event);
  void ask_metrics();
  void took_metrics(const net::ClientFleet::Event& event);
  void watch_server();
  void sum_up();

  std::uint32_t orders_line() const { return scenario_.agents(); }
  std::uint32_t metrics_line() const { return scenario_.agents() + 1; }

  Wire& wire_;
  Scenario scenario_;
  SoftwarePool pool_;
  Access access_;
  std::function<std::optional<ProcessUse>()> server_use_;
  SeededRng chaos_;
  SeededRng work_;
  Micros now_{0};
  Micros begun_{0};
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::uint32_t> own_agents_;
  std::vector<Line> lines_;
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
  std::uint64_t wakes_made_ = 0;
  std::vector<std::uint32_t> lost_;  // whose call was cut, and who are to be told
  std::optional<SwitchingOn> switching_on_;

  std::optional<Micros> measuring_since_;
  std::optional<Micros> ends_at_;
  std::optional<Micros> herd_at_;
  bool closing_ = false;
  std::uint32_t in_progress_ = 0;
  std::uint32_t known_ = 0;
  std::uint32_t away_ = 0;
  std::optional<Micros> cut_off_since_;
  std::optional<Micros> first_enrolled_;

  Micros next_second_{0};
  std::uint64_t ended_this_second_ = 0;
  Line orders_;
  double tasks_owed_ = 0;
  double rebuilds_owed_ = 0;
  bool metrics_awaited_ = false;
  int seconds_to_metrics_ = 0;
  std::optional<ProcessUse> server_before_;
  Outcome out_;
};

}  // namespace muster::swarm
