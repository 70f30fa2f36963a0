// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: reports beside a host's own software.
#include "store/sql/blobs.h"
#include "store/sql/runtimes.h"
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
                         s.matched, s.vulnerabilities, s.reported_at, s.set_hash);
}

TEST_P(ReportContract, SourcesAreRewrittenListedByKeyAndDeleted) {
  model::SetHash set;
  set.add(text);
  const HostSource first{org, {1}, {2}, text, hash(), 3, 2, 1, now, {}};
  const HostSource second{org, {1}, {3}, "web-1", hash(), 4, 0, 0, now, set};
  HostSource rewritten = first;
  rewritten.hostname = "web-2";
  rewritten.package_set = hash();
  rewritten.package_count = rewritten.matched = rewritten.vulnerabilities = number_id_max;
  rewritten.reported_at = now + Duration(1);
  rewritten.set_hash = set;
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

TEST_P(ReportContract, RuntimesAreRewrittenOneForAHost) {
  const auto find = [&](OrgId of, HostId host) {
    return read([&](Reader& reader) { return find_host_runtime(reader, of, host); });
  };
  EXPECT_FALSE(find(org, {1}));
  write([&](Tx& tx) {
    set_host_runtime(tx, {org, {1}, "first", "[]", "null", now});
    set_host_runtime(tx, {org, {2}, "second", "null", "null", now});
    set_host_runtime(tx, {org, {1}, text, text, text, now + Duration(1)});
  });
  const auto row = find(org, {1});
  ASSERT_TRUE(row);
  EXPECT_EQ(std::tie(row->hash, row->listening, row->services), std::tie(text, text, text));
  EXPECT_EQ(row->reported_at, now + Duration(1));
  EXPECT_EQ(find(org, {2})->hash, "second");
  EXPECT_FALSE(find(other_org, {1}));
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

auto fields(const HostLockfile& l) {
  return std::make_tuple(l.org, l.host, l.path, l.package_set, l.package_count, l.direct,
                         l.vulnerable, l.vulnerabilities, l.reported_at);
}

TEST_P(ReportContract, LockfilesAreOneForAPathAndListedByIt) {
  const HostLockfile first{org, {1}, "/a/" + std::string(text), hash(), 3, 2, 1, 1, now};
  const HostLockfile second{org, {1}, "/b", hash(), 1, 0, 0, 0, now};
  HostLockfile rewritten = first;
  rewritten.package_set = hash();
  rewritten.package_count = rewritten.direct = rewritten.vulnerable = rewritten.vulnerabilities =
      number_id_max;
  rewritten.reported_at = now + Duration(1);
  const auto listed = [&](OrgId of, HostId host) {
    return read([&](Reader& reader) { return list_host_lockfiles(reader, of, host); });
  };
  write([&](Tx& tx) {
    set_host_lockfile(tx, second);
    set_host_lockfile(tx, first);
  });
  ASSERT_EQ(listed(org, {1}).size(), 2U);
  EXPECT_EQ(fields(listed(org, {1})[0]), fields(first));
  write([&](Tx& tx) { set_host_lockfile(tx, rewritten); });
  EXPECT_EQ(fields(listed(org, {1})[0]), fields(rewritten));
  EXPECT_EQ(fields(listed(org, {1})[1]), fields(second));
  EXPECT_TRUE(listed(other_org, {1}).empty());
  EXPECT_TRUE(listed(org, {2}).empty());
  write([&](Tx& tx) { delete_host_lockfile(tx, org, {1}, first.path); });
  EXPECT_EQ(listed(org, {1}).size(), 1U);
}

TEST_P(ReportContract, HostsKeepTheHashOfTheirSetAndWhenAFullReportCame) {
  model::Host host;
  host.org = org;
  host.id = {1};
  host.hostname = "web-1";
  write([&](Tx& tx) { insert_host(tx, host); });
  const auto stored = [&] {
    return read([&](Reader& reader) { return *find_host(reader, org, {1}); });
  };
  EXPECT_EQ(stored().set_hash, std::nullopt);
  EXPECT_EQ(stored().last_full_at, std::nullopt);
  host.set_hash.emplace().add(text);
  host.last_full_at = now;
  write([&](Tx& tx) { set_host_reported(tx, host); });
  EXPECT_EQ(stored().set_hash, host.set_hash);
  EXPECT_EQ(stored().last_full_at, now);
  host.set_hash.reset();
  write([&](Tx& tx) { set_host(tx, host); });
  EXPECT_EQ(stored().set_hash, std::nullopt);
  EXPECT_EQ(stored().last_full_at, now);
}

TEST_P(ReportContract, KeyUsersAreThoseThatDidNotMoveOn) {
  const auto use = [&](KeyId key, HostId host, Instant at) {
    write([&](Tx& tx) { set_key_use(tx, {org, key, host, at}); });
  };
  for (const std::int64_t id : {1, 2, 3}) {
    model::Host host;
    host.org = org;
    host.id = {id};
    host.hostname = "web-" + std::to_string(id);
    host.ip_address = "192.0.2." + std::to_string(id);
    write([&](Tx& tx) { insert_host(tx, host); });
    use({7}, {id}, now);
  }
  use({7}, {1}, now - Duration(5));  // never goes back
  use({8}, {2}, now + Duration(10));
  use({8}, {3}, now + Duration(9));
  const auto users = [&](Instant since, int count = 10) {
    std::string all;
    for (const KeyUser& user : read([&](Reader& reader) {
           return list_key_users(reader, org, {7}, {8}, since, Duration(10), count);
         })) {
      all += std::to_string(user.host.value) + " " + user.ip_address + ", ";
    }
    return all;
  };
  EXPECT_EQ(users(now), "1 192.0.2.1, 3 192.0.2.3, ");
  EXPECT_EQ(users(now, 1), "1 192.0.2.1, ");
  EXPECT_EQ(users(now + Duration(1)), "");
  std::size_t rows = 0;
  read([&](Reader& reader) {
    for_each_key_use(reader, [&](const KeyUse& each) {
      ++rows;
      EXPECT_EQ(each.org, org);
    });
    return 0;
  });
  EXPECT_EQ(rows, 5U);
}

TEST_P(ReportContract, AgentScriptsAreOneForAPlatform) {
  AgentScript script{"linux", "1.0.0", crypto::sha256("a"), 1, now, {5}};
  const auto stored = [&](std::string_view platform) {
    return read([&](Reader& reader) { return find_agent_script(reader, platform); });
  };
  EXPECT_FALSE(stored("linux").has_value());
  write([&](Tx& tx) { set_agent_script(tx, script); });
  script.version = text;
  script.size = number_id_max;
  write([&](Tx& tx) { set_agent_script(tx, script); });
  EXPECT_EQ(stored("linux")->version, text);
  EXPECT_EQ(stored("linux")->sha256, script.sha256);
  EXPECT_EQ(stored("linux")->size, number_id_max);
  EXPECT_EQ(stored("linux")->uploaded_by, OperatorId{5});
  script.platform = "a";
  write([&](Tx& tx) { set_agent_script(tx, script); });
  const auto listed = read([](Reader& reader) { return list_agent_scripts(reader); });
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].platform, "a");
  write([](Tx& tx) { delete_agent_script(tx, "linux"); });
  EXPECT_FALSE(stored("linux").has_value());
}

}  // namespace
}  // namespace muster::store
