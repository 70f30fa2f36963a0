// SPDX-License-Identifier: Apache-2.0
#pragma once

// The writes of reports and scans for the fault loop; part of fleet/fault_world.h.
#include "fleet/dependency_scans.h"
#include "fleet/fault_world.h"
#include "fleet/host_removal.h"

namespace muster::fleet {

inline void World::add_inventory(std::map<std::string, Named>& all) {
  all["new host"] = {[this](store::Tx& tx) {
                       const auto report = TestFleet::report_of(
                           "web-3", {debian_package("a", "1"), debian_package("x", "1")});
                       record_report(tx, fleet.inventory(), report, fleet.now).value();
                     },
                     {}};
  all["full report"] = {[this](store::Tx& tx) {
                          auto report = TestFleet::report_of("web-2", {debian_package("y", "1")});
                          report.set_hash.emplace().add(report.packages.canonical(0));
                          record_report(tx, fleet.inventory(), report, fleet.now).value();
                        },
                        {}};
  all["held report"] = {
      [this](store::Tx& tx) {
        record_report(tx, fleet.inventory(), TestFleet::report_of("web-6"), fleet.now).value();
      },
      {}};
  all["release_held_report"] = {[this](store::Tx& tx) {
                                  release_held_report(tx, fleet.inventory(), fleet.actor,
                                                      TestFleet::org, held, fleet.now)
                                      .value();
                                },
                                {{"hosts.release", 1}}};
  all["discard_held_report"] = {[this](store::Tx& tx) {
                                  discard_held_report(tx, fleet.inventory(), fleet.actor,
                                                      TestFleet::org, held, fleet.now)
                                      .value();
                                },
                                {{"hosts.discard", 1}}};
  all["delete_host"] = {[this](store::Tx& tx) {
                          delete_host(tx, fleet.inventory(), fleet->credentials, fleet.actor,
                                      TestFleet::org, held, fleet.now)
                              .value();
                        },
                        {{"hosts.delete", 1}}};
  all["second source"] = {[this](store::Tx& tx) {
                            auto report = TestFleet::report_of(
                                "web-1", {debian_package("a", "1"), debian_package("x", "1")});
                            report.key = key.id;
                            record_report(tx, fleet.inventory(), report, fleet.now).value();
                          },
                          {}};
}

inline void World::add_scans(std::map<std::string, Named>& all) {
  all["container scan"] = {
      [this](store::Tx& tx) {
        model::ImageScan scan;
        model::ImageVulnerability flaw;
        flaw.type = "debian";
        flaw.package = "a";
        flaw.id = "CVE-2099-0001";
        flaw.places.emplace_back();
        scan.vulnerabilities.push_back(flaw);
        scan.packages = {{debian_package("a", "1"), debian_package("of the image alone", "1")}};
        const HostId host = fleet->directory.find(TestFleet::org, "", "web-2")->id;
        record_container_scan(tx, fleet->ids, *fleet->catalogue.current(), fleet->packages,
                              {TestFleet::org, host, {{"app:1", scan}}, true}, fleet.now)
            .value();
      },
      {}};
  all["record_dependency_scan"] = {
      [this](store::Tx& tx) {
        DependencyScan scan{TestFleet::org, {}, "shop", "", {{"/srv/yarn.lock", {}, {true}}}};
        TestFleet::add(scan.files[0].packages, debian_package("a", "1"));
        record_dependency_scan(tx, fleet.inventory(), scan, fleet.now).value();
      },
      {}};
  all["record_key_use"] = {
      [this](store::Tx& tx) {
        const HostId host = fleet->directory.find(TestFleet::org, "", "web-2")->id;
        record_key_use(tx, fleet->key_uses, TestFleet::org, key.id, host, fleet.now);
      },
      {}};
  all["revoke_old_key"] = {
      [this](store::Tx& tx) {
        CHECK(revoke_old_key(tx, fleet->ids, fleet->credentials, {TestFleet::org, KeyId{1}, {}, ""},
                             key.id, fleet.now)
                  .value());
      },
      {{"keys.revoke", 1}}};
  all["upload_agent_script"] = {
      [this](store::Tx& tx) {
        AgentScript script{"linux", "1.0.0", program, 0, {}, OperatorId{1}};
        upload_agent_script(tx, fleet->ids, fleet->scripts, fleet.actor, script, fleet.now).value();
      },
      {{"scripts.upload", 1}}};
  all["delta of another set"] = {
      [this](store::Tx& tx) {
        auto report = TestFleet::report_of("web-2", {debian_package("a", "0")});
        report.delta = true;
        report.base_set_hash.emplace();
        CHECK(record_report(tx, fleet.inventory(), report, fleet.now)->refused);
      },
      {}};
  all["map software"] = {
      [this](store::Tx& tx) {
        const IdentityOrder order{TestFleet::org, "tool", "", {{false, {{"acme", "tool"}}}}};
        record_identity_order(tx, fleet->ids, fleet->packages, fleet.actor, order, fleet.now)
            .value();
      },
      {{"software.map", 1}}};
  all["delta report"] = {[this](store::Tx& tx) {
                           auto report = TestFleet::report_of("web-2", {debian_package("a", "0")});
                           report.delta = true;
                           report.removals.push_back({"a", "1", std::nullopt});
                           record_report(tx, fleet.inventory(), report, fleet.now).value();
                         },
                         {}};
}

}  // namespace muster::fleet
