// SPDX-License-Identifier: Apache-2.0
#include "fleet/rematch.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fleet/finding_testing.h"
#include "fleet/software.h"
#include "vuln/index.h"
#include "vuln/index_diff.h"

namespace muster::fleet {
namespace {

/// What is open, without ids and times.
std::set<std::string> open_findings_of(TestFleet& fleet) {
  std::set<std::string> out;
  for (const FindingView& view : findings(fleet)) {
    const model::Finding& finding = view.stored.finding;
    out.insert(view.stored.hostname + " " + view.stored.package.name + " " +
               view.stored.package.version + " " + finding.feed + " " + finding.advisory_id + " " +
               finding.evidence);
  }
  return out;
}

/// Every column of the findings of each host.
std::map<std::string, std::set<std::string>> rows_by_host(TestFleet& fleet) {
  std::map<std::string, std::set<std::string>> rows;
  for (const FindingView& view : findings(fleet, false)) {
    const model::Finding& finding = view.stored.finding;
    rows[view.stored.hostname].insert(
        std::to_string(finding.id.value) + " " + std::to_string(finding.opened_at.unix_ms) + " " +
        std::to_string(finding.resolved_at.value_or(Instant{}).unix_ms) + " " +
        std::string(model::finding_status_name(finding.status)) + finding.resolution +
        finding.evidence);
  }
  return rows;
}

model::Package program(const std::string& name, const std::string& vendor,
                       const std::string& version) {
  model::Package package;
  package.name = name;
  package.vendor = vendor;
  package.version = version;
  package.ecosystem = model::Ecosystem::windows;
  return package;
}

model::Package with_cpe(const std::string& product, const std::string& version) {
  model::Package package;
  package.name = product;
  package.version = version;
  package.cpe = "cpe:2.3:a:maker:" + product + ":" + version + ":*:*:*:*:*:*:*";
  return package;
}

/// A fleet's life drawn from a seed: what its hosts reported and its feeds said last.
class Life {
 public:
  explicit Life(std::uint64_t seed) : rng_(seed) {}

  void draw_step(TestFleet& fleet) {
    fleet.now = fleet.now + Duration(1000);
    switch (below(6)) {
      case 0:
      case 1:
        return report(fleet, "host-" + std::to_string(below(6)));
      case 2:
        debian_ = draw_debian();
        return import(fleet, feeds::FeedKind::debian, *debian_);
      case 3:
        return say(fleet);
      default:
        nvd_ = draw_nvd();
        return import(fleet, feeds::FeedKind::nvd, *nvd_);
    }
  }

  /// The same state in a fleet that never had another: by feeds first or by reports first.
  void replay(TestFleet& fleet, bool feeds_first) {
    const auto import_all = [&] {
      if (nvd_) {
        ASSERT_TRUE(fleet.import(feeds::FeedKind::nvd, *nvd_).ok());
      }
      if (debian_) {
        ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, *debian_).ok());
      }
    };
    for (const auto& [vendor, identity] : said_) order(fleet, vendor, identity);
    if (feeds_first) import_all();
    for (const auto& [host, report] : reports_) fleet.report(report).value();
    if (!feeds_first) import_all();
  }

 private:
  int below(int n) { return static_cast<int>(rng_.below(static_cast<std::uint64_t>(n))); }

  void report(TestFleet& fleet, const std::string& host) {
    std::vector<model::Package> software;
    for (const char* name : {"a", "b", "c", "d"}) {
      if (below(3) > 0) software.push_back(debian_package(name, std::to_string(1 + below(3))));
    }
    for (const char* product : {"alpha", "beta", "gamma"}) {
      if (below(2) > 0) software.push_back(with_cpe(product, std::to_string(1 + below(3))));
    }
    if (below(2) > 0) software.push_back(program("Acme Burner", "Acme Inc.", "2"));
    if (below(2) > 0) software.push_back(program("Burner", "", std::to_string(1 + below(3))));
    InventoryReport report = TestFleet::report_of(host, software);
    report.os_name = below(2) > 0 ? "Windows 10" : "Debian GNU/Linux 12";
    fleet.report(report).value();
    reports_.insert_or_assign(host, std::move(report));
  }

  void order(TestFleet& fleet, const std::string& vendor,
             const std::optional<model::IdentityOverride>& identity) {
    change_identity(fleet->store, fleet->ids, fleet->catalogue, fleet->packages, fleet.actor,
                    {TestFleet::org, vendor.empty() ? "Burner" : "Acme Burner", vendor, identity},
                    fleet.now)
        .value();
  }

  void say(TestFleet& fleet) {
    const std::string vendor = below(2) > 0 ? "Acme Inc." : "";
    if (said_.contains(vendor) && below(3) == 0) {
      order(fleet, vendor, std::nullopt);
      said_.erase(vendor);
      return;
    }
    model::IdentityOverride identity{below(3) == 0, {}};
    if (!identity.skipped) identity.products = {{"other", "burner"}, {"maker", "alpha"}};
    order(fleet, vendor, identity);
    said_.insert_or_assign(vendor, identity);
  }

  std::string draw_debian() {
    std::map<std::string, std::string> fixed;
    for (const char* name : {"a", "b", "c", "d"}) {
      if (below(2) > 0) fixed[name] = below(4) == 0 ? "" : std::to_string(1 + below(4));
    }
    return fixed.empty() ? feed({{"unused", "1"}}) : feed(fixed);
  }

  std::string criterion(const std::string& name, bool vulnerable) {
    std::string text = R"({"vulnerable": )" + std::string(vulnerable ? "true" : "false") +
                       R"(, "criteria": "cpe:2.3:)" + name + R"(:*:*:*:*:*:*:*:*")";
    if (below(3) > 0) {
      text += R"(, "versionEndExcluding": ")" + std::to_string(2 + below(3)) + "\"";
    }
    return text + "}";
  }

  /// Records drawn from a few, so that editions share some, change some, and lose some.
  std::string draw_nvd() {
    static const std::vector<std::string> products = {
        "a:maker:alpha", "a:maker:beta", "a:maker:gamma", "a:acme:burner", "a:other:burner"};
    std::string lines;
    for (int number = 0; number < 6; ++number) {
      if (below(2) == 0) continue;
      const std::string& product = products[static_cast<std::size_t>(below(5))];
      std::string nodes = R"({"operator": "OR", "cpeMatch": [)" + criterion(product, true) + "]}";
      const int beside = below(4);
      if (beside == 0) {
        nodes += R"(, {"operator": "OR", "cpeMatch": [)" +
                 criterion(products[static_cast<std::size_t>(below(3))], false) + "]}";
      } else if (beside == 1) {
        nodes += R"(, {"operator": "OR", "cpeMatch": [{"vulnerable": false,)"
                 R"( "criteria": "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*"}]})";
      }
      lines += R"({"id": "CVE-2099-100)" + std::to_string(number) +
               R"(", "configurations": [{"operator": "AND", "nodes": [)" + nodes + "]}]}\n";
    }
    return lines.empty() ? R"({"id": "CVE-2099-2000", "configurations": []})" : lines;
  }

  /// Imports, and holds it to what it may touch.
  void import(TestFleet& fleet, feeds::FeedKind kind, const std::string& content) {
    const auto before = fleet->catalogue.current();
    const auto rows = rows_by_host(fleet);
    const auto outcome = fleet.import(kind, content);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message << content;
    const auto after = fleet->catalogue.current();
    std::set<std::string> concerned;
    for (const auto& [host, report] : reports_) {
      for (std::size_t i = 0; i < report.packages.size(); ++i) {
        model::Package package = parse_canonical(report.packages.canonical(i));
        const auto said = said_.find(package.vendor);
        if (package.ecosystem == model::Ecosystem::windows && said != said_.end()) {
          package.identity = said->second;
        }
        if (vuln::fingerprint(*before->index, package) !=
            vuln::fingerprint(*after->index, package)) {
          concerned.insert(host);
        }
      }
    }
    EXPECT_EQ(outcome->hosts_matched, concerned.size());
    for (const auto& [host, now] : rows_by_host(fleet)) {
      if (concerned.contains(host)) continue;
      const auto former = rows.find(host);
      EXPECT_EQ(now, former == rows.end() ? std::set<std::string>{} : former->second) << host;
    }
  }

  SeededRng rng_;
  std::map<std::string, InventoryReport> reports_;
  std::map<std::string, model::IdentityOverride> said_;  // of the burners, by vendor
  std::optional<std::string> debian_;
  std::optional<std::string> nvd_;
};

TEST(Rematch, AfterAnyImportsReportsAndOverridesWhatIsOpenIsWhatMatchingFromScratchOpens) {
  std::size_t open = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    TestFleet fleet;
    fleet.config.inventory_hold_removal_percent = 100;  // what was reported last is what counts
    Life life(seed);
    for (int round = 0; round < 3; ++round) {
      for (int step = 0; step < 6; ++step) life.draw_step(fleet);
      const auto left = open_findings_of(fleet);
      open += left.size();
      TestFleet fresh;
      life.replay(fresh, round % 2 == 0);
      ASSERT_EQ(left, open_findings_of(fresh));
      if (round == 1) fleet.reopen();
    }
  }
  EXPECT_GT(open, 100U) << "something was compared";
}

TEST(Rematch, AnEditionThatConcernsNobodyTouchesNoHost) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}, {"b", "2"}})).ok());
  for (const char* write : {"INSERT INTO findings", "UPDATE findings"}) {
    fleet.faults->refuse(write);
    const auto outcome = fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}, {"c", "2"}}));
    fleet.faults->cancel();
    ASSERT_TRUE(outcome.ok()) << write;
    EXPECT_EQ(outcome->hosts_matched, 0U);
  }
  EXPECT_EQ(findings(fleet).size(), 1U);
}

TEST(Rematch, AReleaseThatNobodyCoveredBeforeIsJudgedAgain) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  const auto outcome = fleet.import(feeds::FeedKind::debian, feed({{"b", "2"}})).value();
  EXPECT_EQ(outcome.hosts_matched, 1U) << "its package is clean now, and was not assessed before";
  EXPECT_EQ(outcome.findings_opened, 0U);
}

TEST(Rematch, OfWhatIsSharedOneHostCanFollowWhileAnotherHasLeftIt) {
  TestFleet fleet;
  for (const char* host : {"web-1", "web-2"}) {
    fleet.report(TestFleet::report_of(host, {debian_package("a", "1")})).value();
  }
  fleet.report(TestFleet::report_of("web-2", {debian_package("b", "1")})).value();
  EXPECT_EQ(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}}))->findings_opened, 1U);
  ASSERT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(findings(fleet)[0].stored.hostname, "web-1");
}

TEST(Adoption, NoOlderSnapshotReplacesANewerOne) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  // Read before the next import, as by another that was slower.
  const auto slow = fleet->store.read([&](store::Reader& reader) {
    return fleet->catalogue.read(reader, *fleet->catalogue.current());
  });
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "3"}, {"b", "1"}})).ok());
  const auto feeds =
      fleet->store.read([](store::Reader& reader) { return store::list_feeds(reader); });
  EXPECT_FALSE(holds_imports(*slow, feeds));
  const Adoption adoption = adopt_feeds(fleet->store, fleet->catalogue, fleet->packages);
  EXPECT_TRUE(holds_imports(*adoption.knowledge, feeds));
  EXPECT_TRUE(holds_imports(*fleet->catalogue.current(), feeds));
  EXPECT_TRUE(adoption.changed->empty()) << "it was in force already";
}

TEST(Import, OfAnotherServerIsFollowed) {
  TestFleet fleet;
  fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")})).value();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"b", "2"}})).ok());
  // What another server would leave: the rows and no snapshot here.
  const auto stale = fleet->catalogue.current();
  ASSERT_TRUE(fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).ok());
  fleet->catalogue.publish(std::make_shared<Knowledge>(*stale));
  EXPECT_EQ(
      finish_matching(fleet->store, fleet->ids, fleet->catalogue, fleet->packages, true, fleet.now),
      1U);
  EXPECT_EQ(findings(fleet).size(), 1U);
  EXPECT_EQ(
      finish_matching(fleet->store, fleet->ids, fleet->catalogue, fleet->packages, true, fleet.now),
      0U);
}

}  // namespace
}  // namespace muster::fleet
