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

}  // namespace
}  // namespace muster::store
