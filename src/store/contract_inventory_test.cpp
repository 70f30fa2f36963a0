// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: packages, feeds and findings.
#include <map>

#include "store/testing/contract.h"

namespace muster::store {
namespace {

using model::Advisory;
using model::Finding;
using testing::all_fields;
using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

using InventoryContract = testing::Contract;
ON_EVERY_DATABASE(InventoryContract);

TEST_P(InventoryContract, PackagesHaveDenseIdsWithinTheirOrganisation) {
  const ContentId first{1, ~std::uint64_t{0}};
  const ContentId second{2, 0};
  const auto insert = [&](OrgId of, const ContentId& content) {
    return write([&](Tx& tx) { return insert_package(tx, of, content, package("a")); });
  };
  EXPECT_EQ(insert(org, first), PackageId{1});
  EXPECT_EQ(insert(org, second), PackageId{2});
  EXPECT_EQ(insert(other_org, first), PackageId{1});
  EXPECT_THROW(insert(org, second), StoreError);
  read([&](Reader& reader) {
    EXPECT_EQ(find_package(reader, org, {1})->package, package("a"));
    EXPECT_EQ(find_package(reader, org, {1})->content, first);
    EXPECT_FALSE(find_package(reader, org, {3}));
    EXPECT_EQ(find_package_by_content(reader, org, second), PackageId{2});
    EXPECT_FALSE(find_package_by_content(reader, other_org, second));
    int all = 0;
    for_each_package(reader, [&](const PackageRow& row) {
      EXPECT_EQ(row.package, package("a"));
      EXPECT_EQ(find_package(reader, row.org, row.id)->content, row.content);
      ++all;
    });
    EXPECT_EQ(all, 3);
    return 0;
  });
}

TEST_P(InventoryContract, PackageSetsAreCountedByTheirHosts) {
  const std::vector<PackageId> ids = {{1}, {2}, {number_id_max}};
  const auto insert = [&] {
    return write([&](Tx& tx) { return insert_package_set(tx, org, ids); });
  };
  const crypto::KeyHash set = insert();
  EXPECT_EQ(insert(), set);
  const auto get = [&] {
    return read([&](Reader& reader) { return get_package_set(reader, org, set); });
  };
  write([&](Tx& tx) { release_package_set(tx, org, set); });
  EXPECT_EQ(get(), ids);
  write([&](Tx& tx) { release_package_set(tx, org, set); });
  EXPECT_THROW(get(), StoreError);
}

TEST_P(InventoryContract, OnlyTheGenerationInForceOfAFeedIsRead) {
  const auto advisory = [](const std::string& id, const std::string& summary) {
    Advisory made;
    made.feed = "debian";
    made.id = id;
    made.distro = "debian:12";
    made.package = "a";
    made.summary = summary;
    made.ranges = {{"", "1.0", ""}};
    return made;
  };
  write([&](Tx& tx) {
    set_advisories(tx, 1, {});
    set_advisories(tx, 1, {advisory("A", "old"), advisory("B", "old")});
    set_advisories(tx, 2, {advisory("A", "first"), advisory("A", text), advisory("C", "new")});
    set_feed(tx, {"debian", now, "today", 2, 1, true});
  });
  const auto in_force = [&] {
    std::map<std::string, std::string> found;
    store->read([&](Reader& reader) {
      for_each_advisory(reader, [&](const Advisory& one) { found[one.id] = one.summary; });
      return 0;
    });
    return found;
  };
  EXPECT_EQ(in_force(), (std::map<std::string, std::string>{{"A", "old"}, {"B", "old"}}));
  write([&](Tx& tx) { set_feed(tx, {"debian", now, text, 2, 2, false}); });
  EXPECT_EQ(in_force(), (std::map<std::string, std::string>{{"A", text}, {"C", "new"}}));
  const auto delete_old = [&] {
    return write([](Tx& tx) { return delete_old_advisories(tx, "debian", 2, 1); });
  };
  EXPECT_EQ(delete_old(), 1);
  EXPECT_EQ(delete_old(), 1);
  EXPECT_EQ(delete_old(), 0);
  EXPECT_EQ(in_force().size(), 2U);
  const auto feeds = read([](Reader& reader) { return list_feeds(reader); });
  ASSERT_EQ(feeds.size(), 1U);
  EXPECT_EQ(feeds[0].published, text);
  EXPECT_EQ(feeds[0].generation, 2);
  EXPECT_FALSE(feeds[0].matched);
}

TEST_P(InventoryContract, FindingsOpenResolveAndOpenAgain) {
  const Finding first = finding(10, {1}, {1}, "CVE-2099-1", model::Severity::low);
  Finding without_cve = finding(11, {1}, {1}, "DSA-1", model::Severity::high);
  without_cve.cve.reset();
  write([&](Tx& tx) {
    open_finding(tx, first);
    open_finding(tx, without_cve);
  });
  const auto open = [&] {
    auto found = read([](Reader& r) { return list_standing_findings_of_host(r, org, {1}); });
    std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.id < b.id; });
    return all_fields(found);
  };
  EXPECT_EQ(open(), all_fields<Finding>({first, without_cve}));
  Finding repeat = finding(12, {1}, {1}, "CVE-2099-1", model::Severity::critical);
  repeat.opened_at = now + Duration(9);
  write([&](Tx& tx) { open_finding(tx, repeat); });
  Finding expected = repeat;
  expected.id = first.id;
  expected.opened_at = first.opened_at;
  EXPECT_EQ(open(), all_fields<Finding>({expected, without_cve}));
  const auto resolve = [&] {
    return write([](Tx& tx) {
      return resolve_findings_of_package(tx, org, {1}, {1}, "package_removed", now);
    });
  };
  EXPECT_EQ(resolve(), 2);
  EXPECT_EQ(resolve(), 0);
  EXPECT_EQ(read([](Reader& r) { return count_findings_of_host(r, org, {1}).open; }), 0);
  write([&](Tx& tx) { open_finding(tx, repeat); });
  expected.opened_at = repeat.opened_at;
  EXPECT_EQ(open(), all_fields<Finding>({expected}));
  write([&](Tx& tx) { resolve_finding(tx, org, first.id, "not_affected", now); });
  EXPECT_EQ(read([](Reader& r) { return count_findings_of_host(r, org, {1}).open; }), 0);
}

TEST_P(InventoryContract, FindingsAreListedByPlaceAndFiltered) {
  write([&](Tx& tx) {
    insert_host(tx, host(1, "web-1"));
    insert_host(tx, host(2, "web-2"));
    insert_package(tx, org, {1, 1}, package("a"));
    open_finding(tx, finding(1, {1}, {1}, "CVE-1", model::Severity::low));
    open_finding(tx, finding(2, {1}, {1}, "CVE-2", model::Severity::high));
    open_finding(tx, finding(3, {2}, {1}, "CVE-2", model::Severity::high));
    open_finding(tx, finding(4, {2}, {1}, "CVE-3", model::Severity::unknown));
    resolve_finding(tx, org, {1}, "not_affected", now);
    set_kev_entries(tx, {});
    set_kev_entries(tx, {{"CVE-3", "v", "old", "", "", "", "", false},
                         {"CVE-3", "v", "p", text, "2025-08-25", "", "", true}});
  });
  write([&](Tx& tx) {
    set_feed(tx, {"epss", now, "", 1, 7, true});
    set_epss_scores(tx, 6, {{"CVE-2", 1, 1}, {"CVE-3", 2, 2}});
    set_epss_scores(tx, 7, {{"CVE-2", 97'567, 99'995}});
  });
  using Cves = std::vector<std::string>;
  EXPECT_EQ(read([](Reader& r) { return list_cves_to_mark(r, true); }), Cves{"CVE-3"});
  EXPECT_EQ(write([](Tx& tx) { return mark_exploited(tx, "CVE-3", true, 10); }), 1);
  EXPECT_EQ(write([](Tx& tx) { return mark_exploited(tx, "CVE-3", true, 10); }), 0) << "it is";
  EXPECT_EQ(read([](Reader& r) { return list_cves_to_mark(r, true); }), Cves{});
  EXPECT_EQ(read([](Reader& r) { return list_cves_to_mark(r, false); }), Cves{});
  using Ids = std::vector<std::int64_t>;
  const auto ids = [&](const std::function<void(FindingFilter&)>& narrow, int count = 10) {
    FindingFilter filter;
    narrow(filter);
    Ids found;
    for (const FindingView& view :
         read([&](Reader& reader) { return list_findings(reader, filter, count); })) {
      found.push_back(view.finding.id.value);
    }
    const auto total = read([&](Reader& reader) { return count_findings(reader, filter).value; });
    EXPECT_GE(total, static_cast<std::int64_t>(found.size()));
    if (!filter.after && count == 10) {
      EXPECT_EQ(total, static_cast<std::int64_t>(found.size()));
    }
    return found;
  };
  EXPECT_EQ(ids([](auto&) {}), (Ids{4, 3, 2}));
  EXPECT_EQ(ids([](auto& f) { f.statuses.push_back(model::FindingStatus::resolved); }),
            (Ids{4, 3, 2, 1}));
  EXPECT_EQ(ids([](auto& f) { f.host = HostId{2}; }), (Ids{4, 3}));
  EXPECT_EQ(ids([](auto& f) { f.cve = "CVE-2"; }), (Ids{3, 2}));
  EXPECT_EQ(ids([](auto& f) { f.org = other_org; }), Ids{});
  EXPECT_EQ(ids([](auto& f) {
              f.org = org;
              f.known_exploited = true;
            }),
            Ids{4});
  EXPECT_EQ(ids([](auto& f) { f.severity_min = 4; }), (Ids{4, 3, 2})) << "4 is exploited";
  EXPECT_EQ(ids([](auto& f) { f.after = FindingPlace{true, 0, {4}}; }), (Ids{3, 2}));
  EXPECT_EQ(ids([](auto& f) { f.after = FindingPlace{false, 4, {3}}; }, 1), Ids{2});
  read([&](Reader& reader) {
    const auto view = find_finding(reader, {4});
    EXPECT_TRUE(view->finding.known_exploited);
    EXPECT_FALSE(view->acceptance);
    EXPECT_EQ(view->package, package("a"));
    EXPECT_EQ(view->hostname, "web-2");
    EXPECT_FALSE(view->epss) << "scored by a generation that is not in force";
    EXPECT_EQ(find_finding(reader, {3})->epss, (model::EpssScore{"CVE-2", 97'567, 99'995}));
    const auto open = count_hosts_with_cve(reader, "CVE-2");
    EXPECT_EQ(open.size(), 1U);
    EXPECT_EQ(open.front().hosts, 2);
    EXPECT_TRUE(count_hosts_with_cve(reader, "CVE-1").empty()) << "resolved";
    EXPECT_FALSE(find_finding(reader, {5}));
    int entries = 0;
    for_each_kev_entry(reader, [&](const model::KevEntry& entry) {
      EXPECT_EQ(entry.name, text);
      EXPECT_TRUE(entry.ransomware);
      ++entries;
    });
    EXPECT_EQ(entries, 1);
    return 0;
  });
  write([](Tx& tx) {
    delete_kev_entries(tx);
    EXPECT_EQ(delete_old_epss_scores(tx, 7, 1), 1);
    EXPECT_EQ(delete_old_epss_scores(tx, 7, 9), 1);
    EXPECT_EQ(delete_old_epss_scores(tx, 7, 9), 0);
  });
  EXPECT_EQ(ids([](auto& f) { f.known_exploited = true; }), Ids{4})
      << "marked until somebody says so";
  EXPECT_EQ(write([](Tx& tx) { return mark_exploited(tx, "CVE-3", false, 10); }), 1);
  EXPECT_EQ(ids([](auto& f) { f.known_exploited = true; }), Ids{});
}

TEST_P(InventoryContract, PlacesNameTheirCveAndOnlyScoresInForceAreListed) {
  write([&](Tx& tx) {
    insert_host(tx, host(1, "web-1"));
    insert_package(tx, org, {1, 1}, package("a"));
    open_finding(tx, finding(1, {1}, {1}, "CVE-1", model::Severity::high));
    Finding without_cve = finding(2, {1}, {1}, "DSA-1", model::Severity::low);
    without_cve.cve.reset();
    open_finding(tx, without_cve);
    set_epss_scores(tx, 6, {{"CVE-1", 1, 1}, {"CVE-2", 2, 2}});
    set_epss_scores(tx, 7, {{"CVE-1", 97'567, 99'995}, {"CVE-3", 0, 0}});
  });
  using Scores = std::vector<model::EpssScore>;
  const std::vector<std::string> cves = {"CVE-1", "CVE-2", "CVE-3", text};
  const auto listed = [&](const std::vector<std::string>& of) {
    Scores scores = read([&](Reader& reader) { return list_epss_scores(reader, of); });
    std::sort(scores.begin(), scores.end());
    return scores;
  };
  EXPECT_EQ(listed(cves), Scores{}) << "no feed";
  write([&](Tx& tx) { set_feed(tx, {"epss", now, "", 1, 7, true}); });
  EXPECT_EQ(listed(cves), (Scores{{"CVE-1", 97'567, 99'995}, {"CVE-3", 0, 0}}));
  EXPECT_EQ(listed({}), Scores{});

  // Every way in which a list is cut has statements of its own.
  const std::vector<std::function<void(FindingFilter&)>> ways = {
      [](FindingFilter&) {}, [](FindingFilter& filter) { filter.host = HostId{1}; },
      [](FindingFilter& filter) { filter.package = package("a").name; }};
  for (const auto& way : ways) {
    FindingFilter filter;
    way(filter);
    const auto places = read([&](Reader& r) { return list_finding_places(r, filter, 10).places; });
    ASSERT_EQ(places.size(), 2U);
    EXPECT_EQ(places[0].cve, "CVE-1");
    EXPECT_EQ(places[1].cve, std::nullopt);
    filter.cve = "CVE-1";
    const auto of_cve = read([&](Reader& r) { return list_finding_places(r, filter, 10).places; });
    ASSERT_EQ(of_cve.size(), 1U);
    EXPECT_EQ(of_cve[0].cve, "CVE-1");
  }
}

TEST_P(InventoryContract, APlaceOfOneListOfAllOrganisationsCostsARowOfEach) {
  write([&](Tx& tx) {
    tx.post("INSERT INTO orgs (org_id, name, created_at) VALUES ($1, 'other', $2)", other_org, now);
    for (const std::int64_t id : {1, 2, 3}) {
      const std::string cve = "CVE-" + std::to_string(id);
      Finding each = finding(id, {1}, {1}, cve, model::Severity::high);
      if (id == 3) each.org = other_org;
      open_finding(tx, each);
    }
  });
  const auto read_for = [&](int count) {
    return read([&](Reader& reader) {
      const PlacedFindings page = list_finding_places(reader, {}, count);
      return std::pair(page.places.size(), page.read);
    });
  };
  EXPECT_EQ(read_for(1), std::pair(std::size_t{1}, std::size_t{2}));
  EXPECT_EQ(read_for(10), std::pair(std::size_t{3}, std::size_t{3}));
}

TEST_P(InventoryContract, ASeverityHidesNothingExploitedAndTheUnknownWhereTheyAreAskedFor) {
  using model::Severity;
  write([&](Tx& tx) {
    insert_host(tx, host(1, "web-1"));
    insert_host(tx, host(2, "web-2"));
    insert_package(tx, org, {1, 1}, package("a"));
    const auto open = [&](std::int64_t id, const char* cve, Severity severity, bool exploited) {
      Finding each = finding(id, {id % 2 + 1}, {1}, cve, severity);
      each.known_exploited = exploited;
      open_finding(tx, each);
    };
    open(1, "CVE-1", Severity::critical, false);
    open(2, "CVE-2", Severity::low, false);
    open(3, "CVE-3", Severity::unknown, false);
    open(4, "CVE-4", Severity::unknown, true);
    open(5, "CVE-5", Severity::low, true);
    open(6, "CVE-6", Severity::unknown, false);
  });
  using Ids = std::vector<std::int64_t>;
  // Every way in which a list is cut has statements of its own.
  const std::vector<std::function<void(FindingFilter&)>> ways = {
      [](FindingFilter&) {}, [](FindingFilter& filter) { filter.package = package("a").name; }};
  const auto of = [](Reader& reader, FindingFilter filter, int count) {
    Ids ids;
    do {
      const auto page = list_finding_places(reader, filter, count).places;
      if (page.empty()) break;
      for (const PlacedFinding& each : page) ids.push_back(each.place.id.value);
      filter.after = page.back().place;
    } while (true);
    filter.after.reset();
    EXPECT_EQ(count_findings(reader, filter).value, static_cast<std::int64_t>(ids.size()));
    return ids;
  };
  read([&](Reader& reader) {
    for (const auto& way : ways) {
      FindingFilter filter;
      way(filter);
      filter.severity_min = static_cast<std::int64_t>(Severity::high);
      for (const int count : {1, 2, 10}) {
        filter.unrated = Unrated::hidden;
        EXPECT_EQ(of(reader, filter, count), (Ids{5, 4, 1}));
        filter.unrated = Unrated::shown;
        EXPECT_EQ(of(reader, filter, count), (Ids{5, 4, 1, 6, 3}));
        filter.unrated = Unrated::alone;
        EXPECT_EQ(of(reader, filter, count), (Ids{6, 3}));
      }
      filter.unrated = Unrated::alone;
      filter.host = HostId{2};
      EXPECT_EQ(of(reader, filter, 10), Ids{3});
      filter.host.reset();
      filter.cve = "CVE-6";
      EXPECT_EQ(of(reader, filter, 10), Ids{6});
      filter.cve = "CVE-4";
      EXPECT_EQ(of(reader, filter, 10), Ids{}) << "exploited";
    }
    FindingFilter filter;
    filter.severity_min = static_cast<std::int64_t>(Severity::high);
    const auto pressing = [&](Unrated unrated) {
      filter.unrated = unrated;
      std::vector<std::string> flaws;
      for_each_pressing(reader, filter, 10,
                        [&](const FindingSubject& each) { flaws.push_back(each.flaw); });
      return flaws;
    };
    using Flaws = std::vector<std::string>;
    EXPECT_EQ(pressing(Unrated::hidden), (Flaws{"CVE-5", "CVE-4", "CVE-1"}));
    EXPECT_EQ(pressing(Unrated::shown), (Flaws{"CVE-5", "CVE-4", "CVE-1", "CVE-6", "CVE-3"}));
    return 0;
  });
}

}  // namespace
}  // namespace muster::store
