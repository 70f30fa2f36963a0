// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/test_directory.h"
#include "base/testing.h"
#include "fleet/agent_keys.h"
#include "fleet/blobs.h"
#include "fleet/enrolment.h"
#include "fleet/feed_import.h"
#include "fleet/findings.h"
#include "fleet/fleet.h"
#include "fleet/inventory.h"
#include "fleet/operators.h"
#include "fleet/package_list.h"
#include "fleet/tasks.h"
#include "store/testing/databases.h"

namespace muster::fleet {

/// The engine that fleets are on unless a test says otherwise: MUSTER_TEST_STORE, or SQLite.
inline store::Engine engine_of_tests() {
  const char* name = ::getenv("MUSTER_TEST_STORE");
  return name != nullptr && std::string_view(name) == "postgres" ? store::Engine::postgres
                                                                 : store::Engine::sqlite;
}

/// A fleet on a fresh database at a moment that only the test moves. The store's writer thread is
/// not started, so every write is durable when its call returns.
class TestFleet {
 public:
  static constexpr OrgId org{1};

  explicit TestFleet(std::uint64_t seed = 1, store::Engine engine = engine_of_tests())
      : database(engine), rng(seed) {
    open();
  }

  /// Closes the fleet and opens it again from what the store has: a restart without a flush.
  void reopen() {
    fleet_.reset();
    open();
  }
  Fleet& operator*() { return *fleet_; }
  Fleet* operator->() { return fleet_.get(); }
  TaskBoard board() { return fleet_->task_board(rng); }

  Inventory inventory() {
    return {config,           fleet_->ids,       fleet_->catalogue, fleet_->packages,
            fleet_->presence, fleet_->directory, fleet_->settings,  fleet_->marks};
  }

  /// The one number that a query over the store yields.
  std::int64_t count(store::Sql sql) {
    return fleet_->store.read([&](store::Reader& reader) {
      store::Rows rows = reader.query(sql);
      CHECK(rows.next());
      return rows.integer(0);
    });
  }

  CreatedToken token(std::int64_t max_uses = 1000, const model::TokenTerms& terms = {}) {
    return fleet_->store.write([&](store::Tx& tx) {
      return create_enrolment_token(tx, fleet_->ids, rng, fleet_->credentials, actor,
                                    {org, std::chrono::hours(24), max_uses, terms}, now);
    });
  }
  EnrolmentCredential credential(const CreatedToken& token) const {
    return {org, token.id, token.expires_at};
  }

  OperatorId appoint(const std::string& name, http::Role role = http::Role::analyst,
                     Duration ttl = Duration(0), std::optional<OrgId> where = {}) {
    return fleet_->store.write([&](store::Tx& tx) {
      return create_operator(tx, fleet_->ids, rng, fleet_->credentials, actor,
                             {name, role, ttl, where}, now)
          .id;
    });
  }

  /// Enrols with a token of its own.
  Result<Enrolled> enrol(const EnrolmentRequest& request) {
    const EnrolmentCredential proof = credential(token());
    return fleet_->store.write([&](store::Tx& tx) { return enrol_in(tx, proof, request); });
  }
  Enrolled enrol(const std::string& hostname, const std::string& machine_id = {}) {
    return enrol(request_of(hostname, machine_id)).value();
  }
  Result<Enrolled> enrol_in(store::Tx& tx, const EnrolmentCredential& proof,
                            const EnrolmentRequest& request) {
    return enrol_agent(tx, fleet_->ids, rng, fleet_->credentials, fleet_->presence,
                       fleet_->directory, config, proof, request, now);
  }
  static EnrolmentRequest request_of(const std::string& hostname,
                                     const std::string& machine_id = {}) {
    return {hostname, "linux", "amd64", "1.0.0", machine_id, "192.0.2.1"};
  }

  static InventoryReport report_of(const std::string& hostname,
                                   const std::vector<model::Package>& packages = {}) {
    InventoryReport report;
    report.org = org;
    report.hostname = hostname;
    for (const model::Package& package : packages) add(report, package);
    return report;
  }
  static void add(InventoryReport& report, const model::Package& package) {
    add(report.packages, package);
  }
  static void add(PackageList& packages, const model::Package& package) {
    packages.add(model::view_of(package));
  }
  Result<ReportOutcome> report(const InventoryReport& report) {
    return fleet_->store.write(
        [&](store::Tx& tx) { return record_report(tx, inventory(), report, now); });
  }

  Result<std::vector<TaskId>> create(const TaskOrder& order) {
    return fleet_->store.write([&](store::Tx& tx) -> Result<std::vector<TaskId>> {
      CreatedTasks created = TRY(create_tasks(tx, board(), actor, OperatorId{1}, order, now));
      return std::move(created.ids);
    });
  }
  /// An uploaded file, which nothing refers to yet.
  crypto::Sha256 upload(std::string_view content, OrgId of = org) {
    return store_blob(fleet_->store, fleet_->ids, actor, of, content, now).value();
  }
  Result<ImportOutcome> import(feeds::FeedKind kind, std::string content) {
    return import_feed(fleet_->store, fleet_->ids, fleet_->catalogue, fleet_->packages, actor, kind,
                       {std::move(content)}, now);
  }

  store::testing::TestDatabase database;
  std::shared_ptr<store::testing::Faults> faults = std::make_shared<store::testing::Faults>();
  TestDirectory directory{memory_backed_path()};
  SeededRng rng;
  Config config;
  Instant now = test_epoch;
  const Actor actor = Actor::operator_token(OperatorId{1});

 private:
  void open() {
    fleet_ = std::make_unique<Fleet>(database.open(faults), directory.path() + "/secret", rng, now);
  }

  std::unique_ptr<Fleet> fleet_;
};

/// A package of Debian 12, as feeds in tests speak of it.
inline model::Package debian_package(const std::string& name, const std::string& version) {
  model::Package package;
  package.name = name;
  package.version = version;
  package.ecosystem = model::Ecosystem::deb;
  package.distro = "debian:12";
  return package;
}

}  // namespace muster::fleet
