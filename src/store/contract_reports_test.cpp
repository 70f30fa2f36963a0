// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: reports beside a host's own software.
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

using ReportContract = testing::Contract;
ON_EVERY_DATABASE(ReportContract);

auto fields(const HostSource& s) {
  return std::make_tuple(s.org, s.host, s.key, s.hostname, s.package_set, s.package_count,
                         s.matched, s.vulnerabilities, s.reported_at);
}

TEST_P(ReportContract, SourcesAreRewrittenListedByKeyAndDeleted) {
  const HostSource first{org, {1}, {2}, text, hash(), 3, 2, 1, now};
  const HostSource second{org, {1}, {3}, "web-1", hash(), 4, 0, 0, now};
  HostSource rewritten = first;
  rewritten.hostname = "web-2";
  rewritten.package_set = hash();
  rewritten.package_count = rewritten.matched = rewritten.vulnerabilities = number_id_max;
  rewritten.reported_at = now + Duration(1);
  write([&](Tx& tx) {
    set_host_source(tx, second);
    set_host_source(tx, first);
    insert_inventory_key(tx, {org, {2}, text, hash(), 1, now, std::nullopt});
  });
  EXPECT_EQ(fields(*read([](Reader& r) { return find_host_source(r, org, {1}, {2}); })),
            fields(first));
  write([&](Tx& tx) { set_host_source(tx, rewritten); });
  const auto listed = [&](OrgId of, HostId host) {
    return read([&](Reader& reader) { return list_host_sources(reader, of, host); });
  };
  ASSERT_EQ(listed(org, {1}).size(), 2U);
  EXPECT_EQ(fields(listed(org, {1})[0].source), fields(rewritten));
  EXPECT_EQ(listed(org, {1})[0].key_name, text);
  EXPECT_EQ(fields(listed(org, {1})[1].source), fields(second));
  EXPECT_EQ(listed(org, {1})[1].key_name, "") << "no such key";
  EXPECT_TRUE(listed(other_org, {1}).empty());
  EXPECT_TRUE(listed(org, {2}).empty());
  write([](Tx& tx) { delete_host_source(tx, org, {1}, {2}); });
  EXPECT_EQ(listed(org, {1}).size(), 1U);
  EXPECT_FALSE(read([](Reader& r) { return find_host_source(r, org, {1}, {2}); }));
}

auto fields(const HeldReport& h) {
  return std::make_tuple(h.org, h.host, h.package_set, h.package_count, h.reports, h.held_at,
                         h.reported_at);
}

TEST_P(ReportContract, HeldReportsAreOneForAHostAndListedInTheirOrder) {
  HeldReport first{org, {1}, hash(), 3, 1, now, now};
  const HeldReport second{org, {2}, hash(), number_id_max, 2, now, now + Duration(1)};
  const HeldReport elsewhere{other_org, {3}, hash(), 1, 1, now, now};
  write([&](Tx& tx) {
    insert_host(tx, host(1, text));
    insert_host(tx, host(2, "web-2"));
    insert_host(tx, host(3, "web-3", other_org));
    for (const HeldReport& held : {elsewhere, second, first}) set_held_report(tx, held);
  });
  first.package_set = hash();
  first.reports = 2;
  first.reported_at = now + Duration(2);
  write([&](Tx& tx) { set_held_report(tx, first); });
  EXPECT_EQ(fields(*read([](Reader& r) { return find_held_report(r, org, {1}); })), fields(first));
  const auto listed = [&](std::optional<OrgId> of, HostId after, int count) {
    return read([&](Reader& reader) { return list_held_reports(reader, of, after, count); });
  };
  ASSERT_EQ(listed(std::nullopt, {}, 10).size(), 3U);
  EXPECT_EQ(fields(listed(std::nullopt, {}, 1)[0].held), fields(first));
  EXPECT_EQ(listed(std::nullopt, {}, 1)[0].hostname, text);
  EXPECT_EQ(fields(listed(org, {1}, 10)[0].held), fields(second));
  EXPECT_EQ(listed(other_org, {}, 10).size(), 1U);
  EXPECT_EQ(read([](Reader& r) { return count_held_reports(r, org).value; }), 2);
  EXPECT_EQ(read([](Reader& r) { return count_held_reports(r, std::nullopt).value; }), 3);
  write([](Tx& tx) { delete_held_report(tx, org, {1}); });
  EXPECT_FALSE(read([](Reader& r) { return find_held_report(r, org, {1}); }));
}

}  // namespace
}  // namespace muster::store
