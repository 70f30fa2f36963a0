// SPDX-License-Identifier: Apache-2.0
#include "sim/checks.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "fleet/hosts.h"
#include "model/vitals.h"
#include "store/sql/agents.h"
#include "store/sql/keys.h"
#include "store/sql/results.h"
#include "store/sql/tasks.h"

namespace muster::sim {

namespace {

using store::Reader;

std::vector<model::Host> all_hosts(Reader& reader) {
  return store::list_hosts(reader, {}, HostId{}, 1'000'000);
}

std::optional<model::Task> task_of(Reader& reader, TaskId id) {
  return store::find_task_anywhere(reader, id);
}

/// Says what differs between what memory has and what a fresh load has.
class Comparison {
 public:
  Comparison(Ledger& ledger, Instant now) : ledger_(ledger), now_(now) {}

  template <typename T>
  void equal(const std::string& what, const T& remembered, const T& loaded) {
    if (remembered == loaded) return;
    std::string detail = what;
    if constexpr (std::is_same_v<T, std::string>) {
      detail += ": remembered " + remembered + ", loaded " + loaded;
    }
    ledger_.breach(Claim::memory_equals_the_store, std::move(detail), now_);
  }

 private:
  Ledger& ledger_;
  Instant now_;
};

std::string text_of(const std::optional<Uuid>& id) {
  return id ? id->text() : "none";
}

std::string text_of(const fleet::AgentPresence& state) {
  std::string text = std::to_string(state.org.value) + " " + std::to_string(state.host.value) +
                     (state.has_pending_task ? " waits" : "") + (state.silent ? " silent" : "") +
                     (state.flapping ? " flapping" : "");
  if (state.condition_mark != 0) text += " says " + std::to_string(state.condition_mark);
  // Until its first call an agent has no row, and what its enrolment said is not kept.
  if (!state.called) return text;
  const std::string vitals = model::pack_vitals(state.vitals);
  return text + " seen " + std::to_string(state.last_seen.unix_ms) + " " + state.agent_version +
         " " + state.status + " at " + text_of(state.current_task) + " after " +
         text_of(state.last_task_completed) + " " +
         to_hex({reinterpret_cast<const std::uint8_t*>(vitals.data()), vitals.size()});
}

std::map<AgentId, std::string> texts_of(const fleet::PresenceTable& presence) {
  std::map<AgentId, std::string> texts;
  presence.for_each_agent(
      [&](AgentId id, const fleet::AgentPresence& state) { texts[id] = text_of(state); });
  return texts;
}

void compare_presence(Reader& reader, const fleet::PresenceTable& presence, Comparison& compare) {
  fleet::PresenceTable fresh(presence.server_started());
  fresh.load(reader);
  const auto remembered = texts_of(presence);
  const auto loaded = texts_of(fresh);
  for (const auto& [id, text] : loaded) {
    const auto found = remembered.find(id);
    compare.equal("presence of agent " + id.text(),
                  found == remembered.end() ? std::string("nothing") : found->second, text);
  }
  compare.equal("agents in presence", remembered.size(), loaded.size());
  for (const model::Host& host : all_hosts(reader)) {
    const auto ours = presence.find_host(host.org, host.id);
    const auto theirs = fresh.find_host(host.org, host.id);
    const auto text = [](const auto& state) {
      return state ? std::to_string(state->last_seen.unix_ms) + " " + state->agent_version
                   : std::string("nothing");
    };
    compare.equal("presence of host " + host.hostname, text(ours), text(theirs));
  }
}

void compare_credentials(Reader& reader, const fleet::Credentials& credentials,
                         Comparison& compare) {
  fleet::Credentials fresh(credentials.keyed_hash());
  fresh.load(reader, Instant{});
  for (const model::Agent& agent : store::list_agents(reader)) {
    for (std::int64_t generation = 0; generation <= model::newest(agent.keys) + 2; ++generation) {
      const auto text = [&](const fleet::Credentials& of) {
        const auto known = of.agents.find(of.hash(of.agent_key(agent.id, generation)));
        if (!known) return std::string("nothing");
        return known->agent.text() + " " + std::to_string(known->host.value) + " " +
               std::to_string(known->generation) + " " + std::to_string(known->offered) +
               (known->disabled ? " disabled" : "") + (known->first_use ? " first" : "");
      };
      compare.equal("key " + std::to_string(generation) + " of agent " + agent.id.text(),
                    text(credentials), text(fresh));
    }
  }
  for (const store::InventoryKey& key : store::list_inventory_keys(reader)) {
    compare.equal("inventory key " + std::to_string(key.id.value),
                  credentials.inventory_keys.find(key.hash).has_value(),
                  fresh.inventory_keys.find(key.hash).has_value());
  }
  for (const store::EnrolmentToken& token :
       store::list_enrolment_tokens(reader, {}, TokenId{number_id_max}, limits::page_size)) {
    compare.equal("enrolment token " + std::to_string(token.id.value),
                  credentials.enrolment_tokens.find(token.hash).has_value(),
                  fresh.enrolment_tokens.find(token.hash).has_value());
  }
  for (const store::OperatorToken& token : store::list_operator_tokens(reader)) {
    compare.equal("operator token " + std::to_string(token.id.value),
                  credentials.operators.find(token.hash).has_value(),
                  fresh.operators.find(token.hash).has_value());
    const auto granted = [&](const fleet::Credentials& of) {
      std::string text;
      const auto roles = of.grants.of(token.id);
      if (!roles) return text;
      for (const http::OrgRole& each : *roles) {
        text += std::to_string(each.org.value) + ":" + std::string(role_name(each.role)) + " ";
      }
      return text;
    };
    compare.equal("grants of operator " + std::to_string(token.id.value), granted(credentials),
                  granted(fresh));
  }
}

void compare_directory(Reader& reader, const fleet::HostDirectory& directory, Comparison& compare) {
  fleet::HostDirectory fresh;
  fresh.load(reader);
  const auto text = [](const std::optional<fleet::HostDirectory::Known>& known) {
    if (!known) return std::string("nothing");
    std::string all = std::to_string(known->id.value) + " " + known->hostname;
    for (const std::string& tag : known->tags) all += " " + tag;
    return all;
  };
  for (const model::Host& host : all_hosts(reader)) {
    compare.equal("host " + std::to_string(host.id.value), text(directory.find(host.id)),
                  text(fresh.find(host.id)));
    compare.equal("host by name " + host.hostname,
                  text(directory.find(host.org, "", host.hostname)),
                  text(fresh.find(host.org, "", host.hostname)));
    compare.equal("host by machine " + host.machine_id,
                  text(directory.find(host.org, host.machine_id, host.hostname)),
                  text(fresh.find(host.org, host.machine_id, host.hostname)));
  }
}

std::vector<std::string> hits_of(const fleet::Verdict& verdict) {
  std::vector<std::string> hits;
  for (const auto& hit : verdict.hits)
    hits.push_back(hit.feed + " " + hit.advisory_id + " " + hit.evidence);
  std::sort(hits.begin(), hits.end());
  return hits;
}

void compare_packages(Reader& reader, fleet::Fleet& fleet, Comparison& compare) {
  fleet::Catalogue fresh;
  fresh.load(reader);
  const auto remembered = fleet.catalogue.current();
  std::size_t rows = 0;
  store::for_each_package(reader, [&](const store::PackageRow& row) {
    ++rows;
    const std::string name = row.package.name + " " + row.package.version;
    compare.equal("id of package " + name, fleet.packages.find(row.org, row.content),
                  std::optional(row.id));
    compare.equal("verdict on package " + name, hits_of(fleet::assess(*remembered, row.package)),
                  hits_of(fleet::assess(*fresh.current(), row.package)));
  });
  compare.equal("packages in the dictionary", fleet.packages.size(), rows);
  compare.equal("exploited CVEs", remembered->kev.size(), fresh.current()->kev.size());
}

void compare_marks(Reader& reader, const fleet::ReportMarks& marks, Comparison& compare) {
  fleet::ReportMarks fresh;
  fresh.load(reader);
  const auto text = [](const std::optional<fleet::ReportMarks::Mark>& mark) {
    const auto hash = mark ? mark->set_hash : std::nullopt;
    return (hash ? hash->text() : "") + (mark ? std::to_string(mark->last_full_at->unix_ms) : "");
  };
  for (const model::Host& host : all_hosts(reader)) {
    if (!host.last_report_at) continue;  // remembered from the next start on
    compare.equal("marks " + host.hostname, text(marks.find(host.id)), text(fresh.find(host.id)));
  }
}

void compare_settings(Reader& reader, const fleet::Settings& settings, Comparison& compare) {
  fleet::Settings fresh;
  fresh.load(reader);
  for (const model::Host& host : all_hosts(reader)) {
    const fleet::SettingScope scope{fleet::SettingScope::Kind::host, host.org,
                                    std::to_string(host.id.value)};
    compare.equal("settings of host " + host.hostname, settings.set_at_json(scope),
                  fresh.set_at_json(scope));
  }
}

}  // namespace

void check_results_are_kept(Reader& reader, Ledger& ledger, Instant now) {
  for (const auto& [id, reported] : ledger.results()) {
    if (!reported.acknowledged) continue;
    const auto task = task_of(reader, id);
    const auto result = task ? store::find_result(reader, task->org, id) : std::nullopt;
    if (!result) {
      ledger.breach(Claim::results_are_kept, "the result of task " + id.text() + " is gone", now);
    } else if (!reported.said.contains({result->exit_code, result->standard_output.text()})) {
      ledger.breach(Claim::results_are_kept, "nobody sent what task " + id.text() + " has", now);
    }
  }
}

void check_orders_are_kept(Reader& reader, Ledger& ledger, Instant now) {
  for (const TaskId id : ledger.orders()) {
    if (task_of(reader, id)) continue;
    ledger.breach(Claim::orders_are_kept, "task " + id.text() + " is gone", now);
  }
}

void check_enrolments_are_kept(Reader& reader, Ledger& ledger, Instant now) {
  for (const auto& [id, key] : ledger.enrolled()) {
    if (store::find_agent_anywhere(reader, id)) continue;
    ledger.breach(Claim::enrolments_are_kept, "agent " + id.text() + " is gone", now);
  }
}

void check_last_seen_in_store(Reader& reader, std::map<AgentId, Instant>& former, Ledger& ledger,
                              Instant now) {
  for (const store::AgentPresenceRow& row : store::list_agent_presence(reader)) {
    Instant& last = former[row.agent];
    if (row.last_seen < last) {
      ledger.breach(Claim::last_seen_never_goes_back, "in the store: agent " + row.agent.text(),
                    now);
    }
    last = row.last_seen;
  }
}

void check_runs_are_reported_once(Reader& reader, Ledger& ledger, Instant now) {
  for (const auto& [id, run] : ledger.runs()) {
    if (run.forgotten) continue;
    const auto task = task_of(reader, id);
    const auto result = task ? store::find_result(reader, task->org, id) : std::nullopt;
    // What was cut off is told as a failure; an agent in the field may not even tell that.
    const bool told = result || (!run.finished &&
                                 (!run.by_own_agent || (task && model::is_terminal(task->status))));
    const bool pending_report = !run.by_own_agent && !result;
    if (!told && !pending_report) {
      ledger.breach(Claim::runs_are_reported_once, "task " + id.text() + " ran and has no result",
                    now);
    }
    std::int64_t rows = 0;
    store::Rows counted = reader.query(
        "SELECT count(*) FROM events WHERE type = 'task_completed' AND details LIKE $1",
        "%\"task_id\": \"" + id.text() + "\"%");  // not the one of a retry, which names it too
    if (counted.next()) rows = counted.integer(0);
    if (rows != (result ? 1 : 0)) {
      ledger.breach(Claim::runs_are_reported_once,
                    "task " + id.text() + " was completed " + std::to_string(rows) + " times", now);
    }
  }
}

void check_work_is_delivered(Reader& reader, const std::vector<AgentId>& living, Ledger& ledger,
                             Instant now) {
  for (const AgentId id : living) {
    const auto agent = store::find_agent_anywhere(reader, id);
    if (!agent) continue;
    // What waits for approval as well waits for an operator, not for delivery.
    store::Rows rows = reader.query(
        "SELECT count(*) FROM tasks WHERE org_id = $1 AND agent_id = $2 AND status = 'pending'",
        agent->org, id);
    const std::int64_t waiting = rows.next() ? rows.integer(0) : 0;
    if (waiting == 0) continue;
    ledger.breach(Claim::work_is_delivered,
                  std::to_string(waiting) + " tasks wait for agent " + id.text(), now);
  }
}

void check_work_ends(Reader& reader, Ledger& ledger, Instant now) {
  store::Rows rows = reader.query(
      "SELECT task_id, status FROM tasks WHERE started_at IS NOT NULL"
      " AND status IN ('assigned', 'downloading', 'executing')");
  while (rows.next()) {
    ledger.breach(Claim::work_ends,
                  "task " + rows.uuid_id<TaskId>(0).text() + " is " + rows.string(1), now);
  }
}

void check_findings(Reader& reader, Ledger& ledger, Instant now) {
  fleet::Catalogue fresh;
  fresh.load(reader);
  const auto knowledge = fresh.current();
  for (const model::Host& host : all_hosts(reader)) {
    std::vector<std::string> expected, stored;
    if (host.package_set) {
      for (const PackageId id : store::get_package_set(reader, host.org, *host.package_set)) {
        const auto row = store::find_package(reader, host.org, id);
        for (const std::string& hit : hits_of(fleet::assess(*knowledge, row->package))) {
          expected.push_back(std::to_string(id.value) + " " + hit);
        }
      }
    }
    for (const auto& finding : store::list_standing_findings_of_host(reader, host.org, host.id)) {
      stored.push_back(std::to_string(finding.package.value) + " " + finding.feed + " " +
                       finding.advisory_id + " " + finding.evidence);
    }
    std::sort(expected.begin(), expected.end());
    std::sort(stored.begin(), stored.end());
    if (expected == stored) continue;
    ledger.breach(Claim::findings_equal_from_scratch,
                  "host " + host.hostname + " has " + std::to_string(stored.size()) +
                      " findings, from scratch " + std::to_string(expected.size()),
                  now);
  }
}

namespace {

struct ToldOutage {
  Instant since, told_at;
  bool ended = false;
  std::string telling;
};

/// Of each agent, in the order of their beginnings.
std::map<AgentId, std::vector<ToldOutage>> told_outages(Reader& reader) {
  std::map<AgentId, std::vector<ToldOutage>> told;
  store::Rows rows = reader.query(
      "SELECT agent_id, since, told_at, ended_at, telling FROM outages ORDER BY since");
  while (rows.next()) {
    told[rows.uuid_id<AgentId>(0)].push_back(
        {rows.instant(1), rows.instant(2), !rows.is_null(3), rows.string(4)});
  }
  return told;
}

/// Whether one of `moments`, in order, lies after `from` and not after `to`.
bool any_within(const std::vector<Instant>& moments, Instant from, Instant to) {
  const auto at = std::upper_bound(moments.begin(), moments.end(), from);
  return at != moments.end() && *at <= to;
}

/// Whether the server knew at `told_at` of a call that came after `from`.
bool was_heard(const std::vector<Ledger::Hearing>& hearings, Instant from, Instant told_at) {
  auto at = std::lower_bound(
      hearings.begin(), hearings.end(), from,
      [](const Ledger::Hearing& hearing, Instant when) { return hearing.answered < when; });
  // The return that tells of its own outage is answered at that moment or later.
  for (; at != hearings.end() && at->answered < told_at; ++at) {
    if (at->came > from) return true;
  }
  return false;
}

void check_events_of_outages(Reader& reader, Ledger& ledger, Instant now) {
  store::Rows rows = reader.query(
      "SELECT (SELECT count(*) FROM outages WHERE telling = 'alone'),"
      " (SELECT count(*) FROM events WHERE type = 'went_offline')");
  rows.next();
  if (rows.integer(0) == rows.integer(1)) return;
  ledger.breach(Claim::outages_are_told_once,
                std::to_string(rows.integer(0)) + " outages have " +
                    std::to_string(rows.integer(1)) + " events",
                now);
}

}  // namespace

void check_outages(Reader& reader, const Config& config, Ledger& ledger, Instant now) {
  check_events_of_outages(reader, ledger, now);
  const Duration limit = config.offline_after();
  // Until it is told: the window of groups, the next look, and disks that fail for minutes.
  const bool faults = ledger.counts().contains("disk faults");
  const Duration told_within = limit + std::chrono::seconds(config.presence_group_window_seconds) +
                               std::chrono::minutes(faults ? 12 : 1);
  const auto told = told_outages(reader);
  for (const auto& entry : told) {
    const AgentId agent = entry.first;
    const std::vector<ToldOutage>& outages = entry.second;
    const auto visits = ledger.visits().find(agent);
    const auto hearings = ledger.hearings().find(agent);
    for (std::size_t i = 0; i < outages.size(); ++i) {
      const ToldOutage& outage = outages[i];
      if (outage.telling == "return") continue;
      const auto wrong = [&](Claim claim, const std::string& what) {
        ledger.breach(
            claim,
            "agent " + agent.text() + " " + what + ", told at " + format_rfc3339(outage.told_at),
            now);
      };
      const Instant silent_from = outage.told_at - limit;
      if (any_within(ledger.starts(), silent_from, outage.told_at)) {
        wrong(Claim::downtime_is_nobodys_outage, "was silent while the server was down");
      }
      if (hearings != ledger.hearings().end() &&
          was_heard(hearings->second, silent_from, outage.told_at)) {
        wrong(Claim::nobody_is_told_of_falsely, "was heard");
      }
      if (i > 0 && visits != ledger.visits().end() && outages[i - 1].telling != "return" &&
          !any_within(visits->second, outages[i - 1].told_at - Duration(1), outage.told_at)) {
        wrong(Claim::outages_are_told_once, "did not call between two outages");
      }
    }
  }
  for (const auto& entry : ledger.visits()) {
    const AgentId agent = entry.first;
    const auto& visits = entry.second;
    const auto outages = told.find(agent);
    const auto row = store::find_agent_anywhere(reader, agent);
    if (!row || row->status != model::AgentStatus::active) continue;
    // An operator who disables an agent has asked for its silence.
    if (ledger.changes().contains({"agents.disable", agent.text()})) continue;
    for (std::size_t i = 0; i + 1 < visits.size(); ++i) {
      if (visits[i + 1] - visits[i] <= told_within) continue;
      if (any_within(ledger.starts(), visits[i], visits[i + 1])) continue;
      const bool known =
          outages != told.end() && std::any_of(outages->second.begin(), outages->second.end(),
                                               [&](const ToldOutage& outage) {
                                                 return outage.telling != "return" &&
                                                        outage.told_at > visits[i] &&
                                                        outage.told_at <= visits[i + 1] + limit;
                                               });
      if (known) continue;
      ledger.breach(Claim::outages_are_told_once,
                    "nobody told of agent " + agent.text() + ", silent from " +
                        format_rfc3339(visits[i]) + " to " + format_rfc3339(visits[i + 1]),
                    now);
    }
  }
}

void check_memory(Reader& reader, fleet::Fleet& fleet, Ledger& ledger, Instant now) {
  Comparison compare(ledger, now);
  compare_credentials(reader, fleet.credentials, compare);
  compare_presence(reader, fleet.presence, compare);
  compare_directory(reader, fleet.directory, compare);
  compare_settings(reader, fleet.settings, compare);
  compare_marks(reader, fleet.marks, compare);
  compare_packages(reader, fleet, compare);
}

std::vector<std::string> stored_software(Reader& reader, const model::Host& host) {
  std::vector<std::string> lines;
  if (!host.package_set) return lines;
  for (const PackageId id : store::get_package_set(reader, host.org, *host.package_set)) {
    const auto row = store::find_package(reader, host.org, id);
    lines.push_back(row->package.name + " " + row->package.version + " " + row->package.arch);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace muster::sim
