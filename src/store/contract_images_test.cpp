// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: container images and their findings.
#include "store/sql/images.h"

#include "store/sql/inventory.h"
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using model::FixStatus;
using model::Severity;
using testing::now;
using testing::org;
using testing::other_org;
using testing::text;

using ImageContract = testing::Contract;
ON_EVERY_DATABASE(ImageContract);

ImageRow image(std::int64_t id, const std::string& identity) {
  ImageRow row;
  row.org = org;
  row.id = ImageId{id};
  row.identity = identity;
  row.digest = text;
  row.kind = "container_image";
  row.os = text;
  row.arch = "amd64";
  row.repo_digests = {text, "b"};
  row.first_seen = now;
  row.content = crypto::sha256("a");
  return row;
}

ImageFinding image_finding(std::int64_t id, ImageId of, const std::string& advisory,
                           Severity severity) {
  ImageFinding made;
  made.org = org;
  made.id = FindingId{id};
  made.image = of;
  made.type = "debian";
  made.package = text;
  made.advisory_id = advisory;
  made.cve = advisory;
  made.version = "1";
  made.fixed_version = "2";
  made.severity = severity;
  made.fix_status = FixStatus::fixed;
  made.opened_at = now;
  made.details = "{}";
  return made;
}

HostImageRow held(std::int64_t host, ImageId of, const std::string& reference, Instant at = now) {
  return {org, HostId{host}, of, reference, at, at, std::nullopt, text};
}

TEST_P(ImageContract, AnImageIsFoundByWhatItIsAndKeepsItsFirstMoment) {
  ImageRow row = image(7, text);
  write([&](Tx& tx) { set_image(tx, row); });
  row.first_seen = now + Duration(9);
  row.scanned_at = now + Duration(8);
  row.os = "later";
  row.content = crypto::sha256("b");
  row.package_count = 3;
  row.unidentified_count = 2;
  row.packages_at = now + Duration(7);
  write([&](Tx& tx) { set_image(tx, row); });
  read([&](Reader& reader) {
    const auto found = find_image_by_identity(reader, org, text);
    EXPECT_EQ(found->id, ImageId{7});
    EXPECT_EQ(found->first_seen, now);
    EXPECT_EQ(found->scanned_at, now + Duration(8));
    EXPECT_EQ(found->os, "later");
    EXPECT_EQ(found->digest, text);
    EXPECT_EQ(found->repo_digests, row.repo_digests);
    EXPECT_EQ(found->content, row.content);
    EXPECT_EQ(found->package_set, std::nullopt);
    EXPECT_EQ(found->package_count, 3);
    EXPECT_EQ(found->unidentified_count, 2);
    EXPECT_EQ(found->packages_at, now + Duration(7));
    EXPECT_EQ(find_image(reader, ImageId{7})->identity, text);
    EXPECT_FALSE(find_image_by_identity(reader, other_org, text));
    EXPECT_FALSE(find_image(reader, ImageId{8}));
    return 0;
  });
}

TEST_P(ImageContract, ImagesWithPackagesAreListedById) {
  write([&](Tx& tx) {
    for (std::int64_t id = 1; id <= 4; ++id) {
      ImageRow row = image(id, std::to_string(id));
      if (id != 2) row.package_set = insert_package_set(tx, org, {{1}, {2}});
      set_image(tx, row);
    }
  });
  const auto ids = [&](std::int64_t after, int count) {
    std::vector<std::int64_t> found;
    const auto rows =
        read([&](Reader& r) { return list_images_with_packages(r, ImageId{after}, count); });
    for (const ImageRow& row : rows) {
      found.push_back(row.id.value);
      EXPECT_EQ(read([&](Reader& r) { return get_package_set(r, org, *row.package_set); }).size(),
                2U);
    }
    return found;
  };
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(ids(0, 10), (Ids{1, 3, 4}));
  EXPECT_EQ(ids(1, 1), Ids{3});
}

TEST_P(ImageContract, AFindingOfAnotherNameIsTheSameFinding) {
  ImageFinding row = image_finding(1, {1}, "CVE-2099-0001", Severity::low);
  row.matches = R"([{"feed": "osv"}])";
  write([&](Tx& tx) { set_image_finding(tx, row); });
  row.type = "jar";
  row.package = "b";
  row.advisory_id = "GHSA-aaaa-bbbb-cccc";
  row.reported = true;
  write([&](Tx& tx) {
    rename_image_finding(tx, row);
    row.id = FindingId{2};
    set_image_finding(tx, row);
  });
  const auto all = [&] {
    return read([](Reader& r) { return list_findings_of_image(r, org, {1}); });
  };
  ASSERT_EQ(all().size(), 1U);
  EXPECT_EQ(all()[0].id, FindingId{1});
  EXPECT_EQ(all()[0].package, "b");
  EXPECT_EQ(all()[0].matches, row.matches);
  EXPECT_TRUE(all()[0].reported);
  write([&](Tx& tx) { resolve_image_finding(tx, org, {1}, "not_reported", now); });
  ASSERT_EQ(all().size(), 1U) << "resolved ones too";
  EXPECT_FALSE(all()[0].reported);
}

TEST_P(ImageContract, HostsAreCountedOnceWhateverTheyCallAnImage) {
  write([&](Tx& tx) {
    set_image(tx, image(1, "a"));
    set_host_image(tx, held(1, {1}, "a:1"));
    set_host_image(tx, held(1, {1}, "a:latest"));
    set_host_image(tx, held(2, {1}, "b"));
  });
  const auto view = [&] {
    return read([&](Reader& r) { return view_image(r, *find_image(r, {1})); });
  };
  EXPECT_EQ(view().hosts, 2);
  EXPECT_EQ(view().references, (std::vector<std::string>{"a:1", "a:latest", "b"}));
  write([&](Tx& tx) {
    retire_host_image(tx, org, {1}, {1}, "a:1", now + Duration(1));
    retire_host_image(tx, org, {2}, {1}, "b", now + Duration(1));
  });
  EXPECT_EQ(view().hosts, 1);
  EXPECT_EQ(view().references, std::vector<std::string>{"a:latest"});
  write([&](Tx& tx) { set_host_image(tx, held(2, {1}, "b", now + Duration(2))); });
  const auto back = read([](Reader& r) { return list_images_of_host(r, org, {2}); });
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].first_seen, now) << "of the first time, not of the return";
  EXPECT_EQ(back[0].last_seen, now + Duration(2));
  EXPECT_EQ(back[0].given, text);
}

TEST_P(ImageContract, ListsLeaveOutWhatNoHostHasUnlessAsked) {
  write([&](Tx& tx) {
    for (std::int64_t id = 1; id <= 3; ++id) {
      set_image(tx, image(id, std::to_string(id)));
      set_host_image(tx, held(id, {id}, "a"));
    }
    set_image_finding(tx, image_finding(1, {1}, "CVE-2099-0001", Severity::high));
    retire_host_image(tx, org, {2}, {2}, "a", now);
  });
  const auto ids = [&](const ImageFilter& filter, std::int64_t before = number_id_max) {
    std::vector<std::int64_t> found;
    const auto views = read([&](Reader& r) { return list_images(r, filter, ImageId{before}, 10); });
    for (const ImageView& view : views) found.push_back(view.image.id.value);
    if (before == number_id_max) {
      const Total total = read([&](Reader& r) { return count_images(r, filter); });
      EXPECT_EQ(total.value, static_cast<std::int64_t>(found.size()));
    }
    return found;
  };
  using Ids = std::vector<std::int64_t>;
  ImageFilter all;
  EXPECT_EQ(ids(all), (Ids{3, 1}));
  EXPECT_EQ(ids(all, 3), Ids{1});
  all.retired = true;
  EXPECT_EQ(ids(all), (Ids{3, 2, 1}));
  all.host = HostId{2};
  EXPECT_EQ(ids(all), Ids{2});
  all.retired = false;
  EXPECT_EQ(ids(all), Ids{});
  ImageFilter of_cve;
  of_cve.cve = "CVE-2099-0001";
  EXPECT_EQ(ids(of_cve), Ids{1});
  write([&](Tx& tx) { resolve_image_finding(tx, org, {1}, "not_reported", now); });
  EXPECT_EQ(ids(of_cve), Ids{});
  ImageFilter foreign;
  foreign.org = other_org;
  EXPECT_EQ(ids(foreign), Ids{});
}

TEST_P(ImageContract, AFindingKeepsItsIdAndTheMomentItWasOpened) {
  const auto open = [&] {
    auto findings = read([](Reader& r) { return list_findings_of_image(r, org, {1}); });
    std::erase_if(findings, [](const ImageFinding& one) {
      return one.status == model::FindingStatus::resolved;
    });
    return findings;
  };
  write([&](Tx& tx) {
    set_image_finding(tx, image_finding(1, {1}, "CVE-2099-0001", Severity::low));
  });
  ImageFinding again = image_finding(2, {1}, "CVE-2099-0001", Severity::high);
  again.opened_at = now + Duration(5);
  again.fix_status = FixStatus::will_not_fix;
  write([&](Tx& tx) { set_image_finding(tx, again); });
  ASSERT_EQ(open().size(), 1U);
  EXPECT_EQ(open()[0].id, FindingId{1});
  EXPECT_EQ(open()[0].opened_at, now);
  EXPECT_EQ(open()[0].severity, Severity::high);
  EXPECT_EQ(open()[0].fix_status, FixStatus::will_not_fix);
  EXPECT_EQ(open()[0].package, text);
  write([&](Tx& tx) { resolve_image_finding(tx, org, {1}, "not_reported", now + Duration(6)); });
  EXPECT_TRUE(open().empty());
  again.opened_at = now + Duration(7);
  write([&](Tx& tx) { set_image_finding(tx, again); });
  EXPECT_EQ(open().at(0).id, FindingId{1});
  EXPECT_EQ(open().at(0).opened_at, now + Duration(7)) << "it had gone in between";
  EXPECT_EQ(open().at(0).resolved_at, std::nullopt);
  EXPECT_EQ(read([](Reader& r) { return count_open_findings_of_image(r, org, {1}); }), 1);
}

TEST_P(ImageContract, FindingsAreListedKnownExploitedFirstThenBySeverity) {
  model::KevEntry entry;
  entry.cve = "CVE-2099-0001";
  write([&](Tx& tx) {
    set_kev_entries(tx, {entry});
    set_image(tx, image(1, "a"));
    set_image_finding(tx, image_finding(1, {1}, "CVE-2099-0001", Severity::low));
    set_image_finding(tx, image_finding(2, {1}, "CVE-2099-0002", Severity::critical));
    set_image_finding(tx, image_finding(3, {1}, "CVE-2099-0003", Severity::critical));
    ImageFinding not_affected = image_finding(4, {1}, "CVE-2099-0004", Severity::high);
    not_affected.status = model::FindingStatus::resolved;
    not_affected.resolved_at = now;
    set_image_finding(tx, not_affected);
  });
  const auto ids = [&](bool open_only, const std::optional<FindingPlace>& after) {
    std::vector<std::int64_t> found;
    for (const auto& view :
         read([&](Reader& r) { return list_image_findings(r, org, {1}, open_only, after, 10); })) {
      found.push_back(view.finding.id.value);
      EXPECT_EQ(view.known_exploited, view.finding.id == FindingId{1});
    }
    return found;
  };
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(ids(true, std::nullopt), (Ids{1, 3, 2}));
  EXPECT_EQ(ids(false, std::nullopt), (Ids{1, 3, 2, 4}));
  EXPECT_EQ(ids(true, FindingPlace{false, 5, {3}}), Ids{2});
  const auto view = read([](Reader& r) { return view_image(r, *find_image(r, {1})); });
  EXPECT_EQ(view.known_exploited, 1);
  EXPECT_EQ(view.findings.at(static_cast<std::size_t>(Severity::critical)), 2);
  EXPECT_EQ(view.findings.at(static_cast<std::size_t>(Severity::high)), 0) << "it is not open";
  EXPECT_EQ(read([](Reader& r) { return count_image_findings(r, org, {1}, false); }).value, 4);
}

TEST_P(ImageContract, AHostWithAVulnerableImageCountsForItsCveOnce) {
  write([&](Tx& tx) {
    set_image(tx, image(1, "a"));
    set_image(tx, image(2, "b"));
    set_image_finding(tx, image_finding(1, {1}, "CVE-2099-0001", Severity::low));
    set_image_finding(tx, image_finding(2, {2}, "CVE-2099-0001", Severity::low));
    set_host_image(tx, held(1, {1}, "a:1"));
    set_host_image(tx, held(1, {2}, "b:1"));
    set_host_image(tx, held(2, {1}, "a:1"));
    set_host_image(tx, held(3, {1}, "a:1"));
    retire_host_image(tx, org, {3}, {1}, "a:1", now);
    open_finding(tx, finding(10, {2}, {1}, "CVE-2099-0001", Severity::low));
    open_finding(tx, finding(11, {4}, {1}, "CVE-2099-0001", Severity::low));
  });
  const auto counts = read([](Reader& r) { return count_hosts_with_cve(r, "CVE-2099-0001"); });
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].hosts, 3) << "hosts 1, 2 and 4; the third has it no more";
}

}  // namespace
}  // namespace muster::store
