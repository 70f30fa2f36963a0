// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: who has a package, and what operators say of
// it.
#include <map>

#include "store/sql/identity_overrides.h"
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

class SoftwareContract : public testing::Contract {
 protected:
  PackageId insert(OrgId of, std::uint64_t content, const std::string& name,
                   const std::string& vendor = {}) {
    model::Package package;
    package.name = name;
    package.vendor = vendor;
    package.version = "1";
    return write([&](Tx& tx) { return insert_package(tx, of, {content, 0}, package); });
  }
  std::optional<model::IdentityOverride> identity(OrgId of, PackageId id) {
    return read([&](Reader& reader) { return find_package(reader, of, id)->package.identity; });
  }
};
ON_EVERY_DATABASE(SoftwareContract);

TEST_P(SoftwareContract, EverySetIsReadWithItsHosts) {
  const std::vector<PackageId> small = {{1}, {200}};
  const std::vector<PackageId> large = {{2}, {3}, {number_id_max}};
  const auto sets = write([&](Tx& tx) {
    return std::pair(insert_package_set(tx, org, small), insert_package_set(tx, other_org, large));
  });
  write([&](Tx& tx) {
    for (int number = 1; number <= 3; ++number) {
      model::Host host;
      host.org = number == 3 ? other_org : org;
      host.id = {number};
      host.hostname = std::to_string(number);
      if (number != 2) host.package_set = number == 3 ? sets.second : sets.first;
      insert_host(tx, host);
    }
  });
  std::map<OrgId, std::vector<PackageId>> members;
  std::map<HostId, crypto::KeyHash> hosts;
  read([&](Reader& reader) {
    for_each_package_set(reader, [&](const PackageSetRow& set) {
      EXPECT_EQ(set.hash, set.org == org ? sets.first : sets.second);
      members[set.org] = set.members;
    });
    for_each_host_set(reader,
                      [&](OrgId, HostId id, const crypto::KeyHash& set) { hosts[id] = set; });
    return 0;
  });
  EXPECT_EQ(members[org], small);
  EXPECT_EQ(members[other_org], large);
  ASSERT_EQ(hosts.size(), 2U) << "one has no software";
  EXPECT_EQ(hosts[{1}], sets.first);
  EXPECT_EQ(hosts[{3}], sets.second);
}

TEST_P(SoftwareContract, SetsOfSeveralPagesAreReadOnceEach) {
  constexpr int count = 5000;
  write([&](Tx& tx) {
    for (int number = 1; number <= count; ++number) insert_package_set(tx, org, {{number}});
  });
  std::vector<bool> seen(count + 1);
  read([&](Reader& reader) {
    for_each_package_set(reader, [&](const PackageSetRow& set) {
      ASSERT_EQ(set.members.size(), 1U);
      const auto at = static_cast<std::size_t>(set.members[0].value);
      EXPECT_FALSE(seen[at]);
      seen[at] = true;
    });
    return 0;
  });
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), count);
}

TEST_P(SoftwareContract, PackagesAreListedByNameAndVendorInTheOrderTheyCame) {
  insert(org, 1, "a", "v");
  insert(org, 2, "a");
  insert(org, 3, text);
  insert(other_org, 1, "a");
  const auto list = [&](PackageFilter filter, int count = 10) {
    return read([&](Reader& reader) {
      std::vector<std::pair<OrgId, PackageId>> found;
      for (const PackageRow& row : list_packages(reader, filter, count)) {
        found.emplace_back(row.org, row.id);
      }
      return found;
    });
  };
  using Found = std::vector<std::pair<OrgId, PackageId>>;
  EXPECT_EQ(list({}), (Found{{org, {1}}, {org, {2}}, {org, {3}}, {other_org, {1}}}));
  PackageFilter named;
  named.name = "a";
  EXPECT_EQ(list(named), (Found{{org, {1}}, {org, {2}}, {other_org, {1}}}));
  EXPECT_EQ(list(named, 1), (Found{{org, {1}}}));
  named.vendor = "";
  named.org = org;
  EXPECT_EQ(list(named), (Found{{org, {2}}}));
  insert(org, 4, "LibWebP_7");
  PackageFilter part;
  part.text = "WEBp_";
  EXPECT_EQ(list(part), (Found{{org, {4}}})) << "in any case of letters";
  part.text = "web%7";
  EXPECT_EQ(list(part), Found{}) << "a sign of patterns is itself";
  part.text = "a";
  part.org = org;
  EXPECT_EQ(list(part, 1), (Found{{org, {1}}}));
  EXPECT_EQ(read([&](Reader& reader) { return count_packages(reader, part); }).value, 3);
  PackageFilter rest;
  rest.after_org = org;
  rest.after = {2};
  EXPECT_EQ(list(rest), (Found{{org, {3}}, {org, {4}}, {other_org, {1}}}));
  read([&](Reader& reader) {
    EXPECT_EQ(count_packages(reader, rest).value, 5) << "whatever it goes on after";
    EXPECT_EQ(count_packages(reader, named).value, 1);
    EXPECT_EQ(list_packages_after(reader, org, {1}), (std::vector<PackageId>{{2}, {3}, {4}}));
    return 0;
  });
}

TEST_P(SoftwareContract, PackagesCarryWhatAnOperatorSaidOfTheirNameAndVendor) {
  const PackageId with = insert(org, 1, "a", "v");
  const PackageId without = insert(org, 2, "a");
  const PackageId elsewhere = insert(other_org, 1, "a", "v");
  const model::IdentityOverride said{false, {{"acme", "burner"}, {text, "b\\:c"}}};
  IdentityOverrideRow row{org, "a", "v", said, now, false};
  write([&](Tx& tx) { set_identity_override(tx, row); });
  EXPECT_EQ(identity(org, with), said);
  EXPECT_FALSE(identity(org, without));
  EXPECT_FALSE(identity(other_org, elsewhere));
  const auto unmatched = [&] {
    return read([](Reader& reader) { return list_unmatched_identity_overrides(reader).size(); });
  };
  EXPECT_EQ(unmatched(), 1U);
  IdentityOverrideRow late = row;
  late.changed_at = now + Duration(1);
  write([&](Tx& tx) { set_identity_override_matched(tx, late); });
  EXPECT_EQ(unmatched(), 1U) << "that was another";
  write([&](Tx& tx) { set_identity_override_matched(tx, row); });
  EXPECT_EQ(unmatched(), 0U);

  row.identity = {true, {}};
  write([&](Tx& tx) { set_identity_override(tx, row); });
  EXPECT_TRUE(identity(org, with)->skipped);
  row.identity.reset();
  write([&](Tx& tx) { set_identity_override(tx, row); });
  EXPECT_FALSE(identity(org, with)) << "taken back";
  const auto find = [&] {
    return read([](Reader& reader) { return find_identity_override(reader, org, "a", "v"); });
  };
  EXPECT_FALSE(find()->identity) << "kept until hosts follow";
  write([&](Tx& tx) { set_identity_override_matched(tx, row); });
  EXPECT_FALSE(find());
}

TEST_P(SoftwareContract, OpenFindingsArePerPackageToo) {
  const PackageId a = insert(org, 1, "a");
  const PackageId b = insert(org, 2, "b");
  write([&](Tx& tx) {
    open_finding(tx, finding(10, {1}, a, "CVE-2099-1", model::Severity::low));
    open_finding(tx, finding(11, {1}, b, "CVE-2099-1", model::Severity::low));
    open_finding(tx, finding(12, {2}, a, "CVE-2099-1", model::Severity::low));
    open_finding(tx, finding(13, {2}, a, "CVE-2099-2", model::Severity::low));
    resolve_finding(tx, org, {13}, "not_affected", now);
  });
  read([&](Reader& reader) {
    const auto found = list_standing_findings_of_package(reader, org, {1}, a);
    EXPECT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().id, FindingId{10});
    EXPECT_EQ(count_open_findings_of_package(reader, org, a), 2);
    EXPECT_EQ(count_open_findings_of_package(reader, org, b), 1);
    return 0;
  });
}

}  // namespace
}  // namespace muster::store
