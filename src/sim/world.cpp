// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <algorithm>

#include "agent/messages.h"
#include "base/json_read.h"
#include "sim/checks.h"
#include "store/sql/agents.h"
#include "store/sql/reports.h"

namespace muster::sim {

namespace {

/// Late copies of what operators asked for have arrived by then.
constexpr Duration echoes = std::chrono::minutes(10);

/// Begun ones.
std::size_t days_of(const Scenario& scenario) {
  return 1 + static_cast<std::size_t>(scenario.storm / std::chrono::hours(24));
}

}  // namespace

Scenario scenario_of(std::uint64_t seed) {
  SeededRng rng = fork(seed, "scenario");
  Scenario scenario;
  scenario.own_agents = 1 + rng.below(5);
  scenario.fielded_agents = rng.below(4);
  scenario.site_hosts = rng.below(3);
  scenario.storm = between(rng, std::chrono::minutes(60), std::chrono::minutes(200));
  const auto up_to = [&](std::size_t thousandths) {
    return chance(rng, 300) ? 0 : rng.below(thousandths);
  };
  scenario.weather = {up_to(150), up_to(150), up_to(100), up_to(60), up_to(100), false};
  scenario.ends = !chance(rng, 150);
  scenario.faults = chance(rng, 600);
  if (chance(rng, 400)) {
    scenario.rotate_keys_after = between(rng, std::chrono::minutes(10), std::chrono::minutes(60));
  }
  scenario.weather.stale_reports = chance(rng, 500);
  return scenario;
}

World::World(std::uint64_t seed, const Scenario& scenario)
    : scenario_(scenario),
      rng_(fork(seed, "world")),
      steps_(seed),
      server_(steps_, trace_, seed),
      wire_(steps_, server_, ledger_, trace_, scenario.plant, seed),
      surroundings_{steps_, wire_, ledger_, trace_, scenario.plant, "", "", test_epoch},
      desk_(surroundings_, seed) {
  const auto name = [](const char* kind, std::size_t number) {
    return std::string(kind) + "-" + std::to_string(number + 1);
  };
  for (std::size_t i = 0; i < scenario.own_agents; ++i) {
    own_.push_back(std::make_unique<OwnAgent>(surroundings_, name("own", i), seed));
  }
  for (std::size_t i = 0; i < scenario.fielded_agents; ++i) {
    fielded_.push_back(std::make_unique<FieldedAgent>(surroundings_, name("fielded", i), seed));
  }
  for (std::size_t i = 0; i < scenario.site_hosts; ++i) {
    // A host may have both: an agent, and a reporter with the site's key.
    const bool both = i < scenario.fielded_agents && chance(rng_, 400);
    // Late deltas of those in the field, which have no hashes, are believed (docs/adr/0009).
    const bool names_hashes = scenario.weather.stale_reports || chance(rng_, 500);
    sites_.push_back(std::make_unique<SiteHost>(surroundings_, name(both ? "fielded" : "site", i),
                                                seed, names_hashes));
  }
}

World::~World() {
  // What waits for an answer learns that none comes while all it talks to is still there.
  server_.shut_down();
  steps_.clear();
}

void World::run_until(Instant until) {
  while (ledger_.breaches().empty()) {
    const bool ran = steps_.run_one(until);
    server_.settle();
    if (!ran) return;
  }
}

agent::Answer World::ask_now(agent::Call call) {
  std::optional<Result<agent::Answer>> outcome;
  wire_.send("the world", std::move(call),
             [&](Result<agent::Answer> answer) { outcome.emplace(std::move(answer)); });
  while (!outcome) {
    steps_.run_one(steps_.now() + std::chrono::minutes(5));
    server_.settle();
  }
  return outcome->ok() ? std::move(**outcome) : agent::Answer{};
}

void World::issue_keys() {
  const auto issue = [&](const char* path, const char* body, const char* member) {
    const agent::Answer answer = ask_now(
        {http::Method::post, path, {{"Authorization", "Bearer " + server_.admin_token()}}, body});
    JsonDocument document;
    return std::string(*document.parse(answer.body).value().find(member)->string());
  };
  surroundings_.enrolment_token =
      issue("/api/v1/tokens", R"({"max_uses": 100000, "ttl_seconds": 2592000})", "token");
  for (std::size_t i = 0; i < fielded_.size(); ++i) {
    one_use_tokens_.push_back(issue("/api/v1/tokens", R"({"max_uses": 1})", "token"));
  }
  if (scenario_.plant == Plant::changes_forged) return;
  surroundings_.inventory_key = issue("/api/v1/keys", R"({"name": "site"})", "key");
}

void World::begin() {
  server_.on_start = [this] {
    ledger_.started(steps_.now());
    check_after_start();
  };
  server_.rotate_keys_after(scenario_.rotate_keys_after);
  server_.start();
  issue_keys();
  surroundings_.calm_from = steps_.now() + scenario_.storm;
  wire_.set_weather(scenario_.weather);
  if (scenario_.plant == Plant::syncs_lie) server_.disk().set_lying(true);
  for (auto& agent : own_) {
    steps_.after(between(rng_, Duration(0), std::chrono::minutes(2)), [&] { agent->start(); });
  }
  for (std::size_t i = 0; i < fielded_.size(); ++i) {
    steps_.after(between(rng_, Duration(0), std::chrono::minutes(2)),
                 [this, i] { fielded_[i]->start(one_use_tokens_[i]); });
  }
  for (auto& host : sites_) {
    steps_.after(between(rng_, Duration(0), std::chrono::minutes(2)), [&] { host->start(); });
  }
  desk_.start(server_.admin_token(), [this] { return enrolled(); });
  if (scenario_.ends) plan_ends();
  if (scenario_.faults) plan_faults();
  tamper_during();
}

void World::plan_ends() {
  const std::size_t ends = (1 + rng_.below(6)) * days_of(scenario_);
  for (std::size_t i = 0; i < ends; ++i) {
    steps_.after(between(rng_, std::chrono::minutes(1), scenario_.storm),
                 [this] { server_.end(static_cast<End>(rng_.below(4))); });
  }
}

void World::plan_faults() {
  const std::size_t faults = (1 + rng_.below(8)) * days_of(scenario_);
  for (std::size_t i = 0; i < faults; ++i) {
    steps_.after(between(rng_, std::chrono::minutes(1), scenario_.storm), [this] {
      ledger_.count("disk faults");
      switch (rng_.below(3)) {
        case 0:
          server_.disk().arm(Fault::sync_error, static_cast<std::int64_t>(rng_.below(10)));
          break;
        case 1:
          server_.disk().arm(Fault::read_error, static_cast<std::int64_t>(rng_.below(50)));
          break;
        default:
          server_.disk().set_full(true);
          steps_.after(between(rng_, std::chrono::seconds(10), std::chrono::minutes(8)),
                       [this] { server_.disk().set_full(false); });
      }
    });
  }
}

std::vector<AgentId> World::enrolled() const {
  std::vector<AgentId> agents;
  for (const auto& agent : own_) {
    if (const auto id = agent->id()) agents.push_back(*id);
  }
  for (const auto& agent : fielded_) {
    if (const auto id = agent->id()) agents.push_back(*id);
  }
  return agents;
}

void World::run() {
  begin();
  run_until(surroundings_.calm_from);
  wire_.set_weather({});
  server_.disk().disarm();
  server_.disk().set_full(false);
  run_until(steps_.now() + echoes);
  desk_.make_peace();
  run_until(steps_.now() + scenario_.calm);
  if (!ledger_.breaches().empty()) return;
  if (!server_.up()) {
    ledger_.breach(Claim::the_server_starts, "it is not up after the calm", steps_.now());
    return;
  }
  check_nobody_is_locked_out();
  server_.come_to_rest();
  tamper_at_rest();
  check_at_rest();
}

void World::check_after_start() {
  const Disk::Peace peace(server_.disk());
  server_.fleet().store.read([&](store::Reader& reader) {
    const Instant now = steps_.now();
    check_results_are_kept(reader, ledger_, now);
    check_orders_are_kept(reader, ledger_, now);
    check_enrolments_are_kept(reader, ledger_, now);
    check_last_seen_in_store(reader, stored_last_seen_, ledger_, now);
    check_audit_chain(reader, audit_heads_, ledger_, now);
  });
}

void World::check_at_rest() {
  check_after_start();
  server_.fleet().store.read([&](store::Reader& reader) {
    const Instant now = steps_.now();
    check_audit(reader, ledger_, now);
    check_runs_are_reported_once(reader, ledger_, now);
    check_work_is_delivered(reader, enrolled(), ledger_, now);
    check_work_ends(reader, ledger_, now);
    check_findings(reader, ledger_, now);
    check_outages(reader, server_.config(), ledger_, now);
    check_memory(reader, server_.fleet(), ledger_, now);
  });
  check_software();
}

void World::check_nobody_is_locked_out() {
  const auto check = [&](const std::string& name, std::optional<AgentId> id,
                         const std::string& key) {
    int status = 0;
    if (id) {
      status = ask_now({http::Method::post,
                        "/api/agent/heartbeat",
                        {{"X-Agent-Key", key},
                         {"X-Agent-ID", id->text()},
                         {"X-Request-Timestamp", format_rfc3339(steps_.now())}},
                        R"({"status": "idle"})"})
                   .status;
    }
    if (status == 200) return;
    ledger_.breach(Claim::nobody_is_locked_out,
                   name + (id ? " is answered " + std::to_string(status) : " could not enrol"),
                   steps_.now());
  };
  for (const auto& agent : own_) check(agent->name(), agent->id(), agent->id() ? agent->key() : "");
  for (const auto& agent : fielded_) check(agent->name(), agent->id(), agent->key());
}

void World::check_software() {
  server_.fleet().store.read([&](store::Reader& reader) {
    const auto check = [&](const std::string& name, const std::optional<model::Host>& host,
                           const Software& software) {
      const auto stored = host ? stored_software(reader, *host) : std::vector<std::string>();
      if (stored == software.lines()) return;
      ledger_.breach(Claim::software_is_what_the_host_has,
                     name + " has " + std::to_string(software.lines().size()) + " packages, " +
                         std::to_string(stored.size()) + " are stored",
                     steps_.now());
    };
    for (const auto& agent : own_) {
      const auto row =
          agent->id() ? store::find_agent_anywhere(reader, *agent->id()) : std::nullopt;
      check(agent->name(), row ? store::find_host(reader, row->org, row->host) : std::nullopt,
            agent->software());
    }
    for (const auto& site : sites_) {
      auto host = store::find_host_by_hostname(reader, OrgId{1}, site->name());
      // Beside a live agent the site's key, of which there is one, is a second source.
      const auto sources = host ? store::list_host_sources(reader, host->org, host->id)
                                : std::vector<store::ListedSource>();
      if (!sources.empty()) host->package_set = sources.front().source.package_set;
      check(site->name(), host, site->software());
    }
  });
}

// --- Planted faults ------------------------------------------------------------------------------

void World::tamper_during() {
  const bool back = scenario_.plant == Plant::presence_back;
  const bool hidden = scenario_.plant == Plant::work_hidden;
  const bool garbled = scenario_.plant == Plant::disks_garbled;
  const bool forgotten = scenario_.plant == Plant::expiries_forgotten;
  const bool skipped = scenario_.plant == Plant::approvals_skipped;
  if (!back && !hidden && !garbled && !forgotten && !skipped) return;
  if (garbled && !server_.up()) server_.disk().garble();
  if (forgotten && server_.up()) forget_expiries();
  if (skipped && server_.up()) skip_approvals();
  if (server_.up()) {
    for (const AgentId id : enrolled()) {
      server_.fleet().presence.with_agent(id, [&](fleet::AgentPresence& state) {
        if (back) state.last_seen = state.last_seen - std::chrono::seconds(100);
        if (skipped) state.has_pending_task = true;
        if (hidden) state.has_pending_task = state.has_redeliverable_task = false;
      });
    }
  }
  steps_.after(back ? std::chrono::seconds(50) : std::chrono::seconds(1),
               [this] { tamper_during(); });
}

void World::forget_expiries() {
  const Disk::Peace peace(server_.disk());
  server_.fleet().store.write([](store::Tx& tx) {
    tx.execute(
        "UPDATE tasks SET deliver_by = deliver_by + 3600000, valid_until = valid_until + 3600000"
        " WHERE status = 'pending' AND valid_until < created_at + 3600000");
  });
}

void World::skip_approvals() {
  const Disk::Peace peace(server_.disk());
  server_.fleet().store.write([](store::Tx& tx) {
    tx.execute("UPDATE tasks SET status = 'pending' WHERE status = 'pending_approval'");
  });
}

void World::tamper_at_rest() {
  fleet::Fleet& fleet = server_.fleet();
  const auto run = [&](store::Sql sql) {
    fleet.store.write([&](store::Tx& tx) { tx.execute(sql); });
  };
  if (scenario_.plant == Plant::enrolments_dropped) {
    run("DELETE FROM agents WHERE agent_id IN (SELECT agent_id FROM agents LIMIT 1)");
  } else if (scenario_.plant == Plant::work_left) {
    run("UPDATE tasks SET status = 'executing' WHERE task_id IN"
        " (SELECT task_id FROM tasks WHERE started_at IS NOT NULL LIMIT 1)");
  } else if (scenario_.plant == Plant::findings_lost) {
    run("DELETE FROM findings WHERE status = 'open'");
  } else if (scenario_.plant == Plant::audit_cut) {
    run("INSERT INTO audit_links (org_id, seq, audit_id, hash)"
        " SELECT org_id, max(seq) + 1, 0, max(hash) FROM audit_links GROUP BY org_id");
  } else if (scenario_.plant == Plant::outage_invented) {
    run("UPDATE outages SET told_at = since + 1000 WHERE telling = 'alone'");
  } else if (scenario_.plant == Plant::downtime_told) {
    const Instant too_early = server_.started_at() + std::chrono::seconds(1);
    fleet.store.write([&](store::Tx& tx) {
      tx.execute("UPDATE outages SET told_at = $1 WHERE telling = 'alone'", too_early);
    });
  } else if (scenario_.plant == Plant::outage_repeated) {
    run("INSERT INTO events (org_id, event_id, at, type, agent_id, host_id, details)"
        " SELECT org_id, (SELECT max(event_id) + 1 FROM events), at, type, agent_id, host_id, "
        "details FROM events"
        " WHERE type = 'went_offline' LIMIT 1");
  } else if (scenario_.plant == Plant::memory_leads) {
    fleet.store.read([&](store::Reader& reader) {
      auto hosts = store::list_hosts(reader, {}, HostId{}, 1);
      if (hosts.empty()) return;
      hosts.front().hostname = "a name that was never stored";
      fleet.directory.set(hosts.front());
    });
  }
}

}  // namespace muster::sim
