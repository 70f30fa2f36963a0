// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing.h"
#include "store/sql/agents.h"
#include "store/sql/findings.h"
#include "store/sql/heard.h"
#include "store/sql/inventory.h"
#include "store/sql/keys.h"
#include "store/sql/nodes.h"
#include "store/sql/orgs.h"
#include "store/sql/outages.h"
#include "store/sql/reports.h"
#include "store/sql/results.h"
#include "store/sql/samples.h"
#include "store/sql/tasks.h"
#include "store/sql/totals.h"
#include "store/store.h"
#include "store/testing/every_database.h"

/// A store on every engine and rows to put into it, for the tests of what store/sql promises.
namespace muster::store::testing {

using model::Advisory;
using model::Agent;
using model::Control;
using model::Finding;
using model::Host;
using model::Package;
using model::Task;
using model::TaskResult;

// Hostile to quoting, encoding and collation, and longer than any column would need.
inline const std::string text =
    "Zażółć 'gęślą' \"jaźń\"; -- \\ % _ 日本語 \U0001F600\n\t" + std::string(3000, 'x');
inline constexpr OrgId org{1};
inline constexpr OrgId other_org{number_id_max};
inline constexpr Instant now = test_epoch;

inline auto fields(const Host& h) {
  return std::make_tuple(h.org, h.id, h.hostname, h.machine_id, h.os_name, h.os_version,
                         h.os_kernel, h.arch, h.distro, h.ip_address, h.tags, h.first_seen,
                         h.last_seen, h.last_report_at, h.package_set, h.package_count,
                         h.operator_tags, h.machine_shared, h.software_agent, h.held_packages);
}
inline auto fields(const Agent& a) {
  return std::make_tuple(a.org, a.id, a.host, a.status, a.os, a.arch, a.key_hash, a.keys.current,
                         a.keys.offered, a.keys.former, a.keys.former_accepted, a.key_since,
                         a.enrolled_at, a.token, a.enrolled_from, a.machine_id, a.superseded_at,
                         a.key_offered_at, a.keys.issued, a.origin ? a.origin->agent : AgentId{},
                         a.origin ? a.origin->alias : AgentId{});
}
inline auto fields(const Task& t) {
  return std::make_tuple(t.org, t.id, t.agent, t.batch, t.type, t.status, t.priority, t.payload,
                         t.redeliver, t.execution_timeout_seconds, t.created_by, t.created_at,
                         t.deliver_by, t.valid_until, t.attempt, t.assigned_at, t.lease_until,
                         t.started_at, t.finished_at, t.error, t.label, t.test_uuid, t.retry_count,
                         t.max_retries, t.original, t.due_at, t.approve_by);
}
inline auto fields(const Control& c) {
  return std::make_tuple(c.control_id, c.position, c.name, c.validator, c.exit_code, c.compliant,
                         c.skipped, c.severity, c.category, c.subcategory, c.techniques, c.tactics,
                         c.expected, c.actual, c.details, c.error_message, c.flag);
}
inline auto fields(const TaskResult& r) {
  return std::make_tuple(
      r.task, r.host, r.received_at, r.exit_code, r.outcome, r.flags.bits, r.standard_output.text(),
      r.standard_output.truncated(), r.standard_output.sha256(), r.standard_error.text(),
      r.standard_error.truncated(), r.standard_error.sha256(), r.started_at, r.completed_at,
      r.duration_ms, r.test_uuid, r.binary_sha256, r.hostname, r.os, r.arch, r.error, r.bundle);
}
inline auto fields(const Finding& f) {
  return std::make_tuple(f.org, f.id, f.host, f.package, f.feed, f.advisory_id, f.cve, f.severity,
                         f.known_exploited, f.status, f.acceptance, f.opened_at, f.resolved_at,
                         f.resolution, f.evidence);
}
inline auto fields(const AgentPresenceRow& r) {
  return std::make_tuple(r.org, r.agent, r.last_seen, r.agent_version, r.status, r.current_task,
                         r.last_task_completed, r.vitals, r.open_samples);
}
inline auto fields(const HostPresenceRow& r) {
  return std::make_tuple(r.org, r.host, r.last_seen, r.agent_version);
}

template <typename T>
auto all_fields(const std::vector<T>& all) {
  std::vector<decltype(fields(all.front()))> out;
  for (const T& one : all) out.push_back(fields(one));
  return out;
}

class Contract : public EveryDatabase {
 protected:
  void SetUp() override {
    EveryDatabase::SetUp();
    if (!IsSkipped()) store.emplace(database->open());
  }

  template <typename F>
  auto write(F&& work) {
    return store->write(std::forward<F>(work));
  }
  template <typename F>
  auto read(F&& use) {
    return store->read(std::forward<F>(use));
  }

  Uuid uuid(int seconds = 0) { return make_uuid7(rng, now + std::chrono::seconds(seconds)); }
  crypto::KeyHash hash() {
    crypto::KeyHash out;
    rng.fill(std::as_writable_bytes(std::span(out.bytes)));
    return out;
  }

  Host host(std::int64_t id, const std::string& name, OrgId of = org) {
    Host made;
    made.org = of;
    made.id = {id};
    made.hostname = name;
    made.machine_id = "machine-" + std::to_string(id);
    made.os_name = text;
    made.os_version = "12";
    made.os_kernel = "6.1";
    made.arch = "amd64";
    made.distro = "debian:12";
    made.ip_address = "2001:db8::1";
    made.tags = {"a", "ü \"quoted\""};
    made.operator_tags = {"ö"};
    made.first_seen = now;
    made.last_seen = now + Duration(id);
    made.software_agent = AgentId{uuid()};
    made.held_packages = 7;
    return made;
  }
  Agent agent(HostId of, OrgId in = org) {
    Agent made;
    made.org = in;
    made.id = {uuid()};
    made.host = of;
    made.os = "linux";
    made.arch = "arm64";
    made.key_hash = hash();
    made.keys.current = 3;
    made.enrolled_at = now;
    made.token = {number_id_max};
    return made;
  }
  Task task(AgentId of, int seconds = 0, std::int64_t priority = 1) {
    Task made;
    made.org = org;
    made.id = {uuid(seconds)};
    made.agent = of;
    made.batch = uuid();
    made.payload = "{\"command\": \"" + std::string(100, 'c') + "\"}";
    made.priority = priority;
    made.redeliver = true;
    made.created_by = {7};
    made.created_at = now + std::chrono::seconds(seconds);
    made.deliver_by = made.valid_until = now + std::chrono::hours(1);
    return made;
  }
  static Control control(const std::string& id, std::int64_t position) {
    Control made;
    made.control_id = id;
    made.position = position;
    made.name = made.validator = made.severity = made.category = text;
    made.exit_code = -1;
    made.compliant = true;
    made.techniques = R"(["T1059"])";
    made.tactics = "[]";
    made.actual = "actual";
    return made;
  }
  static void add_controls(Tx& tx, TaskId task, const std::vector<Control>& controls) {
    std::vector<ControlOfTask> rows;
    for (const Control& each : controls) rows.push_back({task, &each});
    set_controls(tx, org, rows);
  }
  static Package package(const std::string& name) {
    Package made;
    made.name = name;
    made.version = "1:2.0~rc1-1";
    made.vendor = text;
    made.ecosystem = model::Ecosystem::deb;
    made.distro = "debian:12";
    made.source_name = "source";
    made.arch = "all";
    return made;
  }
  Finding finding(std::int64_t id, HostId of, PackageId in, const std::string& advisory,
                  model::Severity severity) {
    Finding made;
    made.org = org;
    made.id = {id};
    made.host = of;
    made.package = in;
    made.feed = "debian";
    made.advisory_id = advisory;
    made.cve = advisory;
    made.severity = severity;
    made.opened_at = now;
    made.evidence = "{}";
    return made;
  }

  std::optional<Store> store;
  SeededRng rng;
};

/// The same with a second organisation, `other_org`.
class ContractOfTwoOrgs : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    if (IsSkipped()) return;
    write([](Tx& tx) {
      tx.post("INSERT INTO orgs (org_id, name, created_at) VALUES ($1, 'other', $2)", other_org,
              now);
    });
  }
};

}  // namespace muster::store::testing
