// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: what a query over the fleet reads.
#include <algorithm>
#include <map>

#include "store/sql/host_search.h"
#include "store/sql/saved_views.h"
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;

class HostSearchContract : public testing::Contract {
 protected:
  static HostRange range(std::int64_t first, std::int64_t last, OrgId of = org) {
    return {of, {first}, {last}};
  }
  void open(std::int64_t number, OrgId of, std::int64_t on, model::Severity severity,
            bool exploited, model::FindingStatus status = model::FindingStatus::open) {
    model::Finding finding;
    finding.org = of;
    finding.id = {number};
    finding.host = {on};
    finding.package = {number};
    finding.feed = "debian";
    finding.advisory_id = "A";
    finding.cve = "CVE-2024-" + std::to_string(number % 10);
    finding.severity = severity;
    finding.known_exploited = exploited;
    finding.status = status;
    finding.opened_at = now;
    finding.evidence = "{}";
    write([&](Tx& tx) { open_finding(tx, finding); });
  }
  static std::vector<std::int64_t> numbers(std::vector<HostId> ids) {
    std::vector<std::int64_t> out;
    for (const HostId id : ids) out.push_back(id.value);
    return out;
  }
};
ON_EVERY_DATABASE(HostSearchContract);

TEST_P(HostSearchContract, HostsArePagedInTheOrderOfTheirIds) {
  const model::Host a = host(1, "Web-1");
  model::Host b = host(2, "db-1");
  b.package_set = hash();
  b.last_report_at = now;
  b.package_count = 3;
  write([&](Tx& tx) {
    for (const model::Host& one : {b, host(3, "else", other_org), a}) insert_host(tx, one);
  });
  read([&](Reader& reader) {
    const auto all = list_searched_hosts(reader, std::nullopt, HostId{0}, 10);
    EXPECT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].hostname, "web-1");
    EXPECT_EQ(all[0].package_set, std::nullopt);
    EXPECT_EQ(all[0].last_report_at, std::nullopt);
    EXPECT_EQ(all[2].org, other_org);
    const auto page = list_searched_hosts(reader, org, HostId{1}, 10);
    EXPECT_EQ(page.size(), 1U);
    EXPECT_EQ(page[0].id, b.id);
    EXPECT_EQ(page[0].package_set, b.package_set);
    EXPECT_EQ(page[0].package_count, 3);
    EXPECT_EQ(page[0].last_report_at, now);
    EXPECT_EQ(page[0].first_seen, b.first_seen);
    EXPECT_EQ(page[0].distro, "debian:12");
    EXPECT_EQ(list_searched_hosts(reader, std::nullopt, HostId{0}, 2).size(), 2U);
    return 0;
  });
}

TEST_P(HostSearchContract, AgentsThatEndedAreLeftOut) {
  write([&](Tx& tx) {
    for (const auto status : {model::AgentStatus::active, model::AgentStatus::superseded}) {
      model::Agent one = agent({1});
      one.status = status;
      insert_agent(tx, one);
    }
    model::Agent disabled = agent({2});
    disabled.status = model::AgentStatus::disabled;
    insert_agent(tx, disabled);
    insert_agent(tx, agent({3}));
    insert_agent(tx, agent({2}, other_org));
  });
  read([&](Reader& reader) {
    const auto agents = list_searched_agents(reader, range(1, 2));
    EXPECT_EQ(agents.size(), 2U);
    EXPECT_EQ(agents[0].host, HostId{1});
    EXPECT_FALSE(agents[0].disabled);
    EXPECT_EQ(agents[0].os, "linux");
    EXPECT_EQ(agents[1].host, HostId{2});
    EXPECT_TRUE(agents[1].disabled);
    return 0;
  });
}

TEST_P(HostSearchContract, HostsAreFoundByTheirOpenFindings) {
  write([&](Tx& tx) {
    for (std::int64_t id = 1; id <= 4; ++id) insert_host(tx, host(id, "h" + std::to_string(id)));
    insert_host(tx, host(5, "else", other_org));
  });
  open(11, org, 1, model::Severity::low, false);
  open(12, org, 1, model::Severity::critical, false);
  open(13, org, 2, model::Severity::medium, true);
  open(14, org, 3, model::Severity::critical, true, model::FindingStatus::accepted);
  open(21, org, 2, model::Severity::medium, false);
  open(15, other_org, 5, model::Severity::critical, true);
  write([&](Tx& tx) { resolve_finding(tx, org, {21}, "not_affected", now); });
  read([&](Reader& reader) {
    EXPECT_EQ(numbers(list_hosts_with_severity(reader, range(1, 4), 4, 5)),
              (std::vector<std::int64_t>{1}));
    EXPECT_EQ(numbers(list_hosts_with_severity(reader, range(1, 4), 2, 3)),
              (std::vector<std::int64_t>{1, 2}));
    EXPECT_EQ(numbers(list_hosts_with_severity(reader, range(2, 4), 0, 5)),
              (std::vector<std::int64_t>{2}));
    EXPECT_TRUE(list_hosts_with_severity(reader, range(1, 4), 5, 4).empty());
    EXPECT_EQ(numbers(list_hosts_with_exploited(reader, range(1, 4))),
              (std::vector<std::int64_t>{2}));
    EXPECT_EQ(numbers(list_hosts_with_exploited(reader, range(1, 9, other_org))),
              (std::vector<std::int64_t>{5}));
    EXPECT_EQ(numbers(list_hosts_with_cve(reader, org, "CVE-2024-1")),
              (std::vector<std::int64_t>{1}));
    EXPECT_TRUE(list_hosts_with_cve(reader, org, "CVE-2024-4").empty()) << "accepted";
    EXPECT_TRUE(list_hosts_with_cve(reader, other_org, "CVE-2024-1").empty());
    return 0;
  });
}

TEST_P(HostSearchContract, PackagesAreReadByNameAndSetsByOrganisation) {
  const auto insert = [&](OrgId of, std::uint64_t content, const char* name, const char* version) {
    model::Package package;
    package.name = name;
    package.version = version;
    package.ecosystem = model::Ecosystem::deb;
    return write([&](Tx& tx) { return insert_package(tx, of, {content, 0}, package); });
  };
  const PackageId old = insert(org, 1, "openssl", "1.1");
  const PackageId other = insert(org, 2, "curl", "8");
  insert(org, 3, "OpenSSL", "3");
  insert(other_org, 4, "openssl", "9");
  const auto sets = write([&](Tx& tx) {
    return std::pair(insert_package_set(tx, org, {old, other}),
                     insert_package_set(tx, other_org, {PackageId{1}}));
  });
  read([&](Reader& reader) {
    std::vector<std::string> versions;
    for_each_package_version(reader, org, "openssl", [&](const PackageVersion& package) {
      EXPECT_EQ(package.id, old);
      EXPECT_EQ(package.ecosystem, model::Ecosystem::deb);
      versions.emplace_back(package.version);
    });
    EXPECT_EQ(versions, std::vector<std::string>{"1.1"});
    int all = 0;
    for_each_package_version(reader, org, std::nullopt, [&](const PackageVersion&) { ++all; });
    EXPECT_EQ(all, 3);
    std::map<crypto::KeyHash, std::vector<PackageId>> read_sets;
    for_each_package_set(reader, org,
                         [&](const crypto::KeyHash& set, const std::vector<PackageId>& members) {
                           read_sets[set] = members;
                         });
    EXPECT_EQ(read_sets.size(), 1U);
    EXPECT_EQ(read_sets[sets.first], (std::vector<PackageId>{old, other}));
    return 0;
  });
}

TEST_P(HostSearchContract, ViewsAreReplacedByNameAndDeleted) {
  const SavedView view{org, testing::text.substr(0, 100), "tag:a", now, "operator:1"};
  write([&](Tx& tx) {
    set_saved_view(tx, {org, "b", "tag:b", now, "operator:1"});
    set_saved_view(tx, view);
    set_saved_view(tx, {other_org, "b", "tag:c", now, "operator:2"});
    set_saved_view(tx, {org, "b", "tag:d", now + Duration(1), "operator:2"});
  });
  read([&](Reader& reader) {
    EXPECT_EQ(find_saved_view(reader, org, view.name)->query, "tag:a");
    EXPECT_EQ(find_saved_view(reader, org, "b")->query, "tag:d");
    EXPECT_EQ(find_saved_view(reader, org, "b")->set_by, "operator:2");
    EXPECT_EQ(find_saved_view(reader, org, "b")->set_at, now + Duration(1));
    EXPECT_FALSE(find_saved_view(reader, org, "B"));
    EXPECT_EQ(list_saved_views(reader, std::nullopt).size(), 3U);
    const auto own = list_saved_views(reader, org);
    EXPECT_EQ(own.size(), 2U);
    EXPECT_EQ(own[0].name, view.name);
    EXPECT_EQ(own[1].name, "b");
    return 0;
  });
  EXPECT_TRUE(write([&](Tx& tx) { return delete_saved_view(tx, org, "b"); }));
  EXPECT_FALSE(write([&](Tx& tx) { return delete_saved_view(tx, org, "b"); }));
  EXPECT_EQ(read([&](Reader& reader) { return list_saved_views(reader, other_org).size(); }), 1U);
}

}  // namespace
}  // namespace muster::store
