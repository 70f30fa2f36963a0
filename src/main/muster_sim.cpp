// SPDX-License-Identifier: Apache-2.0
// Runs simulated worlds (sim/world.h) by seed: flags, figures, exit codes. Not installed.
#include <chrono>
#include <cstdio>
#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "sim/world.h"

namespace muster {
namespace {

struct Flags {
  std::uint64_t seed = 0;
  std::uint64_t first = 1;
  std::uint64_t seeds = 20;
  std::size_t agents = 0;
  int days = 1;
  bool stale_reports = false;
  bool trace = false;
  std::string about;
};

sim::Scenario scenario_of(const Flags& flags, std::uint64_t seed) {
  sim::Scenario scenario = sim::scenario_of(seed);
  if (flags.agents > 0) {
    scenario.own_agents = flags.agents - flags.agents / 10;
    scenario.fielded_agents = flags.agents / 10;
    scenario.site_hosts = 10;
    scenario.storm = std::chrono::hours(24 * flags.days) - scenario.calm;
    scenario.weather = {2, 2, 2, 1, 2, false};
    scenario.ends = scenario.faults = true;
  }
  if (flags.stale_reports) scenario.weather.stale_reports = true;
  return scenario;
}

/// True when every claim held; else prints what broke, how to see it again, and the last events.
bool run(const Flags& flags, std::uint64_t seed, std::map<std::string, int>& counts) {
  sim::World world(seed, scenario_of(flags, seed));
  if (!flags.about.empty()) world.print_about(flags.about);
  world.run();
  for (const auto& [what, number] : world.ledger().counts()) counts[what] += number;
  counts["events"] += static_cast<int>(world.trace().noted());
  counts["commits"] += static_cast<int>(world.commits());
  counts["starts of the server"] += world.lives();
  const bool held = world.ledger().breaches().empty();
  if (flags.trace || !held) {
    for (const std::string& line : world.trace().last_lines()) std::printf("  %s\n", line.c_str());
  }
  for (const sim::Breach& breach : world.ledger().breaches()) {
    std::printf("broken: %s\n        %s\n", std::string(sim::claim_sentence(breach.claim)).c_str(),
                breach.detail.c_str());
  }
  if (!held) std::printf("again:  ./check sim --seed %lu\n", seed);
  return held;
}

int run(int argc, char** argv) {
  Flags flags;
  CLI::App cli("muster-sim: the server, its hosts and their network in one deterministic world",
               "muster-sim");
  cli.add_option("--seed", flags.seed, "Run this one world");
  cli.add_option("--first", flags.first, "The first of several")->capture_default_str();
  cli.add_option("--seeds", flags.seeds, "How many")->capture_default_str();
  cli.add_option("--agents", flags.agents, "A day of a fleet of this size, in light weather");
  cli.add_option("--days", flags.days, "So many of them")
      ->check(CLI::Range(1, 31))
      ->capture_default_str();
  cli.add_flag("--stale-reports", flags.stale_reports,
               "Reports may arrive late or twice in each world");
  cli.add_flag("--trace", flags.trace, "Print the last events also when all is well");
  cli.add_option("--about", flags.about, "Print every event that names this");
  CLI11_PARSE(cli, argc, argv);
  if (flags.seed != 0) {
    flags.first = flags.seed;
    flags.seeds = 1;
  }
  const auto begun = std::chrono::steady_clock::now();
  std::map<std::string, int> counts;
  std::uint64_t broken = 0;
  for (std::uint64_t seed = flags.first; seed < flags.first + flags.seeds; ++seed) {
    if (!run(flags, seed, counts)) ++broken;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  for (const auto& [what, number] : counts) std::printf("%10d  %s\n", number, what.c_str());
  std::printf("%lu worlds in %.1f s, %lu broken\n", flags.seeds, took.count(), broken);
  return broken == 0 ? 0 : 1;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  return muster::run(argc, argv);
}
