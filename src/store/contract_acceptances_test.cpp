// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: what operators accept.
#include "store/sql/acceptances.h"

#include <set>

#include "store/sql/images.h"
#include "store/testing/contract.h"

namespace muster::store {
namespace {

using model::Acceptance;
using model::AcceptanceScope;
using model::Finding;
using model::FindingStatus;
using model::Severity;
using testing::now;
using testing::org;
using testing::text;

class AcceptanceContract : public testing::Contract {
 protected:
  /// Hosts 1 and 2 with package 1, "a": CVE-2099-0002 on both and DSA-1, which has no CVE, on the
  /// first.
  void insert_findings(Tx& tx) {
    insert_host(tx, host(1, "web-1"));
    insert_host(tx, host(2, "web-2"));
    insert_package(tx, org, {1, 1}, package("a"));
    open_finding(tx, finding(1, {1}, {1}, "CVE-2099-0002", Severity::high));
    open_finding(tx, finding(2, {2}, {1}, "CVE-2099-0002", Severity::high));
    Finding without_cve = finding(3, {1}, {1}, "DSA-1", Severity::low);
    without_cve.cve.reset();
    open_finding(tx, without_cve);
  }
};
ON_EVERY_DATABASE(AcceptanceContract);

Acceptance acceptance(std::int64_t id, AcceptanceScope scope, const std::string& subject,
                      const std::string& flaw = "CVE-2099-0002") {
  Acceptance made;
  made.org = org;
  made.id = AcceptanceId{id};
  made.scope = scope;
  made.subject = subject;
  made.package = "a";
  made.flaw = flaw;
  made.severity = Severity::high;
  made.reason = text;
  made.accepted_by = "operator:1";
  made.accepted_at = now;
  return made;
}

TEST_P(AcceptanceContract, AnAcceptanceIsFoundByWhatItIsAbout) {
  Acceptance made = acceptance(5, AcceptanceScope::host, "1");
  made.ends_at = now + Duration(7);
  write([&](Tx& tx) { set_acceptance(tx, made); });
  const auto found = [&] {
    return read([&](Reader& r) { return find_acceptance(r, made).value(); });
  };
  EXPECT_EQ(found().acceptance.id, made.id);
  EXPECT_EQ(found().acceptance.reason, text);
  EXPECT_EQ(found().acceptance.ends_at, made.ends_at);
  EXPECT_FALSE(found().settled);
  EXPECT_FALSE(found().ended_at);
  const auto due = [&](Instant at) {
    return read([&](Reader& r) { return list_due_acceptances(r, at, 10).size(); });
  };
  EXPECT_EQ(due(now + Duration(6)), 0U);
  EXPECT_EQ(due(now + Duration(7)), 1U);
  write([&](Tx& tx) { mark_acceptance_settled(tx, made); });
  EXPECT_TRUE(found().settled);
  EXPECT_TRUE(read([](Reader& r) { return list_unsettled_acceptances(r, 10); }).empty());
  write([&](Tx& tx) { end_acceptance(tx, org, made.id, now); });
  EXPECT_EQ(found().ended_at, now);
  EXPECT_EQ(due(now + Duration(7)), 0U) << "it has ended";
  EXPECT_EQ(read([](Reader& r) { return list_unsettled_acceptances(r, 10); }).size(), 1U);
  made.ends_at.reset();
  write([&](Tx& tx) { set_acceptance(tx, made); });
  EXPECT_FALSE(found().ended_at) << "renewed";
  EXPECT_TRUE(read([](Reader& r) { return has_acceptances(r, org); }));
  write([&](Tx& tx) { delete_acceptance(tx, made); });
  EXPECT_FALSE(read([](Reader& r) { return has_acceptances(r, org); }));
}

TEST_P(AcceptanceContract, FindingsFollowAndComeBackSomeAtATime) {
  write([&](Tx& tx) { insert_findings(tx); });
  const Acceptance of_host = acceptance(5, AcceptanceScope::host, "1");
  const Acceptance of_all = acceptance(6, AcceptanceScope::hosts, "");
  const Acceptance nameless = acceptance(7, AcceptanceScope::host, "1", "DSA-1");
  const auto accept = [&](const Acceptance& one, int count) {
    return write([&](Tx& tx) {
      set_acceptance(tx, one);
      return accept_findings(tx, one, count);
    });
  };
  EXPECT_EQ(accept(of_host, 10), 1);
  EXPECT_EQ(accept(of_host, 10), 0);
  EXPECT_EQ(accept(nameless, 10), 1);
  EXPECT_EQ(accept(of_all, 10), 1) << "what the host's own covers is not open";
  const auto view = read([](Reader& r) { return find_finding(r, {1}).value(); });
  EXPECT_EQ(view.finding.status, FindingStatus::accepted);
  EXPECT_EQ(view.finding.acceptance, of_host.id);
  EXPECT_EQ(view.acceptance.value().reason, text);
  const HostFindings counts = read([](Reader& r) { return count_findings_of_host(r, org, {1}); });
  EXPECT_EQ(counts.open, 0);
  EXPECT_EQ(counts.accepted, 2);
  EXPECT_EQ(counts.packages, 1);
  FindingFilter filter;
  filter.statuses = {FindingStatus::accepted};
  EXPECT_EQ(read([&](Reader& r) { return list_findings(r, filter, 10); }).size(), 3U);
  EXPECT_EQ(read([&](Reader& r) { return count_accepted_findings(r, of_all); }), 1);
  EXPECT_EQ(write([&](Tx& tx) { return reopen_findings(tx, of_host, 10); }), 1);
  EXPECT_EQ(accept(of_all, 10), 1) << "it covers the host too";
  EXPECT_EQ(write([&](Tx& tx) { return reopen_findings(tx, of_all, 1); }), 1)
      << "no more at a time";
  EXPECT_EQ(write([&](Tx& tx) { return reopen_findings(tx, of_all, 1); }), 1);
  EXPECT_EQ(write([&](Tx& tx) { return reopen_findings(tx, of_all, 1); }), 0);
}

TEST_P(AcceptanceContract, AGraverOrExploitedFlawIsNotCovered) {
  write([&](Tx& tx) { insert_findings(tx); });
  Acceptance mild = acceptance(5, AcceptanceScope::hosts, "");
  mild.severity = Severity::medium;
  const auto accept = [&](const Acceptance& one) {
    return write([&](Tx& tx) { return accept_findings(tx, one, 10); });
  };
  EXPECT_EQ(accept(mild), 0);
  write([](Tx& tx) { mark_exploited(tx, "CVE-2099-0002", true, 10); });
  Acceptance unexploited = acceptance(6, AcceptanceScope::hosts, "");
  EXPECT_EQ(accept(unexploited), 0);
  unexploited.known_exploited = true;
  EXPECT_EQ(accept(unexploited), 2);
}

TEST_P(AcceptanceContract, WhatIsAcceptedOfAHostsPackagesIsFoundForMany) {
  write([&](Tx& tx) {
    insert_findings(tx);
    set_acceptance(tx, acceptance(5, AcceptanceScope::host, "1"));
    set_acceptance(tx, acceptance(6, AcceptanceScope::hosts, ""));
    set_acceptance(tx, acceptance(7, AcceptanceScope::host, "2"));
    set_acceptance(tx, acceptance(8, AcceptanceScope::image, "1"));
    set_acceptance(tx, acceptance(9, AcceptanceScope::hosts, "", "CVE-2099-0009"));
    end_acceptance(tx, org, {9}, now);
  });
  const auto found = read([](Reader& r) {
    return list_acceptances_of_packages(
        r, org, {1}, {{{1}, "CVE-2099-0002"}, {{1}, "CVE-2099-0009"}, {{9}, "CVE-2099-0002"}});
  });
  std::set<std::int64_t> ids;
  for (const auto& each : found) ids.insert(each.acceptance.id.value);
  EXPECT_EQ(ids, (std::set<std::int64_t>{5, 6}));
  EXPECT_EQ(found.size(), 2U);
  EXPECT_EQ(
      read([](Reader& r) { return list_acceptances_of_unexploited(r, "CVE-2099-0002"); }).size(),
      4U);
  EXPECT_EQ(
      read([](Reader& r) { return list_acceptances_of_unexploited(r, "CVE-2099-0009"); }).size(),
      0U);
}

TEST_P(AcceptanceContract, ImagesHaveTheirOwn) {
  const auto identity = std::string("sha256:1");
  write([&](Tx& tx) {
    ImageRow row;
    row.org = org;
    row.id = ImageId{1};
    row.identity = identity;
    row.content = crypto::sha256("a");
    set_image(tx, row);
    ImageFinding found;
    found.org = org;
    found.id = FindingId{9};
    found.image = row.id;
    found.type = "debian";
    found.package = "a";
    found.advisory_id = "CVE-2099-0002";
    found.cve = "CVE-2099-0002";
    found.severity = Severity::high;
    found.details = "{}";
    set_image_finding(tx, found);
  });
  const auto accept = [&](const Acceptance& one) {
    return write([&](Tx& tx) { return accept_findings(tx, one, 10); });
  };
  EXPECT_EQ(accept(acceptance(5, AcceptanceScope::hosts, "")), 0);
  EXPECT_EQ(accept(acceptance(6, AcceptanceScope::image, "sha256:2")), 0);
  EXPECT_EQ(accept(acceptance(7, AcceptanceScope::image, identity)), 1);
  EXPECT_EQ(read([](Reader& r) { return find_image_finding(r, {9}).value(); }).finding.status,
            FindingStatus::accepted);
  EXPECT_EQ(write([&](Tx& tx) {
              return reopen_findings(tx, acceptance(7, AcceptanceScope::image, identity), 10);
            }),
            1);
  EXPECT_EQ(accept(acceptance(8, AcceptanceScope::images, "")), 1);
  write([&](Tx& tx) { set_acceptance(tx, acceptance(8, AcceptanceScope::images, "")); });
  EXPECT_EQ(read([&](Reader& r) { return list_acceptances_of_image(r, org, identity); }).size(),
            1U);
}

}  // namespace
}  // namespace muster::store
