// SPDX-License-Identifier: Apache-2.0
#include "swarm/swarm.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "main/ctl/duration.h"
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"
#include "swarm/shared_wire.h"

namespace muster::ctl {

namespace {

/// From one loopback address: below the 28,000 ports that Linux gives out for each.
constexpr std::uint32_t connections_per_address = 20'000;
/// What the program calls itself, so that the server gives it the tasks of our own agent.
constexpr const char* user_agent = "muster-agent/swarm";

volatile std::sig_atomic_t interrupted = 0;

void interrupt(int) {
  interrupted = 1;
}

Result<std::int64_t> bounded(const FlagValues& values, const char* member, std::int64_t min,
                             std::int64_t max) {
  const std::int64_t value = *values.integer(member);
  if (value >= min && value <= max) return value;
  return invalid_field(std::string("--") + member,
                       fmt::format("must be between {} and {}", min, max));
}

/// The scenario of the file, if there is one, with what the flags say instead.
Result<swarm::Scenario> read_scenario(const FlagValues& values) {
  swarm::Scenario scenario;
  if (values.has("scenario")) {
    const std::string path = values.text("scenario");
    auto parsed = swarm::parse_scenario(TRY(read_file(path, limits::MiB)));
    if (!parsed.ok()) {
      Error error = std::move(parsed).error();
      error.message = path + ": " + error.message;
      return error;
    }
    scenario = *std::move(parsed);
  }
  if (values.has("agents")) scenario.fleet_agents = TRY(bounded(values, "agents", 1, 1'000'000));
  if (values.has("connections")) {
    scenario.fleet_connections = TRY(bounded(values, "connections", 0, 1'000'000));
  }
  if (values.has("seed")) scenario.fleet_seed = TRY(bounded(values, "seed", 0, number_id_max));
  if (values.has("duration")) {
    const auto duration = TRY(parse_duration(values.text("duration")));
    if (duration.count() < 1 || duration > std::chrono::hours(24 * 7)) {
      return invalid_field("--duration", "must be between 1s and 7d");
    }
    scenario.time_duration_seconds = duration.count();
  }
  return scenario;
}

Result<swarm::SoftwarePool> make_pool(const FlagValues& values, const swarm::Scenario& scenario) {
  if (!values.has("packages")) return swarm::SoftwarePool(scenario);
  const std::string path = values.text("packages");
  auto packages = swarm::parse_package_list(TRY(read_file(path, 16 * limits::MiB)));
  if (packages.ok()) return swarm::SoftwarePool(scenario, *std::move(packages));
  Error error = std::move(packages).error();
  error.message = path + ": " + error.message;
  return error;
}

/// What the operator lets the fleet in with, and takes back in the end.
class Admission {
 public:
  explicit Admission(Session& session) : session_(session) {}

  Result<swarm::Access> create(const swarm::Scenario& scenario) {
    swarm::Access access;
    access.operator_token = session_.token();
    JsonWriter token;
    token.begin_object()
        .member("ttl_seconds", std::int64_t{30} * 24 * 3600)
        .member("max_uses", limits::token_uses_max)
        .end_object();
    access.enrolment_token = TRY(create("/api/v1/tokens", token.take(), "token"));
    for (std::uint32_t site = 0; site < scenario.sites(); ++site) {
      JsonWriter key;
      key.begin_object().member("name", fmt::format("swarm site {}", site + 1)).end_object();
      access.site_keys.push_back(TRY(create("/api/v1/keys", key.take(), "key")));
    }
    return access;
  }

  Result<void> revoke() {
    for (const std::string& path : std::exchange(paths_, {})) {
      TRY(session_.call(http::Method::del, path));
    }
    return {};
  }

 private:
  Result<std::string> create(const std::string& path, std::string body, std::string_view secret) {
    const std::string answer = TRY(session_.call(http::Method::post, path, std::move(body)));
    JsonDocument document;
    const auto made = document.parse(answer);
    const auto text = made.ok() ? made->find(secret) : std::nullopt;
    const auto id = made.ok() ? made->find("id") : std::nullopt;
    if (!text || !text->string() || !id || !id->integer()) {
      return Error{Errc::unavailable,
                   "the answer to POST " + path + " has no " + std::string(secret)};
    }
    paths_.push_back(path + "/" + std::to_string(*id->integer()));
    return std::string(*text->string());
  }

  Session& session_;
  std::vector<std::string> paths_;
};

std::string progress_line(const swarm::Progress& now) {
  return fmt::format("{:5.0f} s {} {} of {} up, {} calls/s, p99 {:.1f} ms, {} errors", now.seconds,
                     now.measuring ? "measuring:" : "setting up:", now.up, now.hosts,
                     now.calls_per_second, now.p99_ms, now.errors);
}

std::string ms(swarm::Micros value) {
  return fmt::format("{:.2f}", static_cast<double>(value.count()) / 1000);
}

void print_calls(const Shell& shell, std::string_view title, const swarm::Tally& tally) {
  constexpr auto right = Table::Align::right;
  Table table({{std::string(title)},
               {"CALLS", right, true},
               {"ERRORS", right, true},
               {"DROPPED", right, true},
               {"P50 MS", right, true},
               {"P90 MS", right, true},
               {"P99 MS", right, true},
               {"P99.9 MS", right, true},
               {"MAX MS", right, true}});
  for (std::size_t i = 0; i < swarm::kinds; ++i) {
    const auto kind = static_cast<swarm::Kind>(i);
    const swarm::KindTally& row = tally.of(kind);
    if (row.calls() == 0) continue;
    const auto errors = row.errors();
    table.add({{std::string(swarm::kind_name(kind))},
               {std::to_string(row.calls())},
               {std::to_string(errors), errors == 0 ? Style::plain : Style::bad},
               {std::to_string(row.of(swarm::End::dropped))},
               {ms(row.latency.quantile(0.5))},
               {ms(row.latency.quantile(0.9))},
               {ms(row.latency.quantile(0.99))},
               {ms(row.latency.quantile(0.999))},
               {ms(row.latency.max())}});
  }
  if (table.size() != 0) shell.print(table.render(shell.look()) + "\n");
}

void print_outcome(const Shell& shell, const swarm::Outcome& outcome) {
  print_calls(shell, "BEFORE", outcome.setup);
  print_calls(shell, "MEASURED", outcome.measured);
  std::vector<Fact> facts;
  const auto figures = swarm::figures_of(outcome);
  for (const swarm::Figure& figure : figures) {
    if (figure.value)
      facts.push_back({std::string(figure.name), {fmt::format("{:.3f}", *figure.value)}});
  }
  shell.print_facts(facts);
  for (const swarm::Tally* tally : {&outcome.setup, &outcome.measured}) {
    for (const auto& [why, count] : tally->reasons()) {
      shell.print(fmt::format("{} times {}\n", count, escape_for_terminal(why)));
    }
  }
  for (const swarm::Verdict& verdict : swarm::judge(figures, outcome.scenario.assertions)) {
    const bool most = verdict.figure.sense == swarm::Figure::Sense::at_most;
    const std::string value =
        verdict.figure.value ? fmt::format("{:.3f}", *verdict.figure.value) : "not measured";
    shell.print(fmt::format("{}  {} {} {}, at {} {:g}\n", verdict.holds ? "holds" : "FAILS",
                            verdict.figure.name, "is", value, most ? "most" : "least",
                            verdict.limit));
  }
}

Result<std::unique_ptr<net::ClientFleet>> open_fleet(const Address& address,
                                                     const swarm::Scenario& scenario) {
  net::ClientFleetOptions options;
  const std::uint32_t lines = scenario.connections();
  options.connections = lines + swarm::Swarm::extra_connections;
  options.source_addresses = 1 + lines / connections_per_address;
  options.user_agent = user_agent;
  options.ca_file = address.ca_file;
  return net::ClientFleet::create(address.origin, std::move(options));
}

Result<void> run_swarm(const Shell& shell, Session& session, const FlagValues& values) {
  swarm::Scenario scenario = TRY(read_scenario(values));
  swarm::SoftwarePool pool = TRY(make_pool(values, scenario));
  std::function<std::optional<swarm::ProcessUse>()> server_use;
  if (values.has("server_pid")) {
    const std::string pid = std::to_string(*values.integer("server_pid"));
    if (!swarm::read_process_use(pid)) {
      return invalid_field("--server-pid", pid + ": there is no such process to be looked at");
    }
    server_use = [pid] { return swarm::read_process_use(pid); };
  }
  const auto fleet = TRY(open_fleet(session.address(), scenario));
  Admission admission(session);
  swarm::Access access = TRY(admission.create(scenario));
  const SystemClock clock;
  swarm::NetWire lines(*fleet, clock);
  std::optional<swarm::SharedWire> shared;
  if (scenario.fleet_connections > 0) {
    shared.emplace(lines, scenario.agents(), scenario.connections(),
                   swarm::Swarm::extra_connections);
  }
  swarm::Wire& wire = shared ? static_cast<swarm::Wire&>(*shared) : lines;
  swarm::Swarm swarm(wire, std::move(scenario), std::move(pool), std::move(access),
                     std::move(server_use));
  std::signal(SIGINT, interrupt);
  const swarm::Outcome outcome = swarm.run([&](const swarm::Progress& now) {
    shell.progress(progress_line(now));
    return interrupted == 0;
  });
  std::signal(SIGINT, SIG_DFL);
  shell.progress("");
  if (shell.json()) {
    shell.print_json(swarm::encode_outcome(outcome));
  } else {
    print_outcome(shell, outcome);
  }
  TRY(admission.revoke());
  const auto verdicts = swarm::judge(swarm::figures_of(outcome), outcome.scenario.assertions);
  if (swarm::all_hold(verdicts)) return {};
  const auto failing = std::count_if(verdicts.begin(), verdicts.end(),
                                     [](const auto& verdict) { return !verdict.holds; });
  return Error{Errc::unavailable, fmt::format("{} of {} limits of the scenario do not hold",
                                              failing, verdicts.size())};
}

}  // namespace

void add_swarm(Grammar& grammar) {
  grammar.root().slow(
      {"swarm",
       "Put a simulated fleet on a server that holds nothing else: it enrols its hosts there. "
       "Prints "
       "what its calls took and whether the limits of the scenario hold",
       "muster swarm bench/scenarios/smoke.toml --agents 1000 --duration 60s"},
      {{.name = "SCENARIO",
        .member = "scenario",
        .what = "What the fleet is and does (TOML); the defaults without it",
        .kind = Flag::Kind::file},
       {.name = "--agents",
        .member = "agents",
        .what = "Hosts, instead of the scenario's",
        .kind = Flag::Kind::integer,
        .shown = "N"},
       {.name = "--connections",
        .member = "connections",
        .what = "Connections that the hosts share, as behind a proxy; 0 is one each",
        .kind = Flag::Kind::integer,
        .shown = "N"},
       {.name = "--duration",
        .member = "duration",
        .what = "How long to measure, instead of the scenario's: 60s, 10m, 2h",
        .shown = "T"},
       {.name = "--seed",
        .member = "seed",
        .what = "Seed of all that chance decides, instead of the scenario's",
        .kind = Flag::Kind::integer,
        .shown = "N"},
       {.name = "--packages",
        .member = "packages",
        .what =
            "Software that hosts have: lines of name, version, source name, source version, arch "
            "between tabs; made up without it",
        .kind = Flag::Kind::file},
       {.name = "--server-pid",
        .member = "server_pid",
        .what = "The server's process on this machine, to measure what it uses",
        .kind = Flag::Kind::integer,
        .shown = "PID"}},
      run_swarm);
}

}  // namespace muster::ctl
