// SPDX-License-Identifier: Apache-2.0
#include "fleet/held_reports.h"

#include <algorithm>

#include "base/check.h"
#include "fleet/announcements.h"
#include "fleet/cursor.h"
#include "fleet/host_software.h"
#include "fleet/set_hashes.h"
#include "store/sql/agents.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

bool is_mass_removal(const Config& config, std::size_t gone, std::size_t of) {
  return of >= static_cast<std::size_t>(config.inventory_hold_min_packages) &&
         gone * 100 > of * static_cast<std::size_t>(config.inventory_hold_removal_percent);
}

/// Replaces what is held of the host; nothing held ends the hold.
void set_hold(store::Tx& tx, const std::optional<store::HeldReport>& former, model::Host& host,
              const PackageIds& held, bool said_again, Instant now) {
  host.held_packages = static_cast<std::int64_t>(held.size());
  if (held.empty()) {
    if (former) store::delete_held_report(tx, host.org, host.id);
  } else {
    store::HeldReport row;
    row.org = host.org;
    row.host = host.id;
    row.package_set = store::insert_package_set(tx, host.org, held);
    row.package_count = host.held_packages;
    row.held_at = former ? former->held_at : now;
    row.reported_at = said_again ? now : former->reported_at;
    row.reports = (former ? former->reports : 0) + (said_again ? 1 : 0);
    store::set_held_report(tx, row);
  }
  if (former) store::release_package_set(tx, host.org, former->package_set);
}

std::optional<store::HeldReport> hold_of(store::Reader& reader, const model::Host& host) {
  if (host.held_packages == 0) return std::nullopt;
  auto held = store::find_held_report(reader, host.org, host.id);
  CHECK(held.has_value());
  return held;
}

Error nothing_held() {
  return {Errc::not_found, "No report of that host is held."};
}

using Review = std::pair<model::Host, store::HeldReport>;

Result<Review> find_review(store::Tx& tx, OrgId org, HostId id) {
  auto host = store::find_host(tx, org, id);
  if (!host) return Error{Errc::not_found, "There is no such host."};
  const auto held = hold_of(tx, *host);
  if (!held) return nothing_held();
  return Review(std::move(*host), *held);
}

/// Stores the host without its hold, and that an operator decided so.
void finish_review(store::Tx& tx, const Inventory& inventory, const Actor& actor, Review& review,
                   std::string_view action, model::EventType event, const ReviewOutcome& outcome,
                   Instant now) {
  model::Host& host = review.first;
  const store::HeldReport& held = review.second;
  set_hold(tx, held, host, {}, false, now);
  store::set_host_reported(tx, host);
  announce_host(tx, host.org, host.id);
  tx.on_commit([&marks = inventory.marks, id = host.id, mark = ReportMarks::of(host)] {
    marks.set(id, mark);
  });
  const auto details = [&](JsonWriter& json) {
    json.member("packages", outcome.packages).member("reports", held.reports);
  };
  record_audit(tx, inventory.ids, host.org, actor, action, std::to_string(host.id.value), details,
               now);
  record_event(tx, inventory.ids, host.org, event, std::nullopt, host.id, details, now);
}

}  // namespace

PackageIds told_of(store::Reader& reader, const model::Host& host, const PackageIds& present) {
  const auto held = hold_of(reader, host);
  if (!held) return present;
  return difference(present, store::get_package_set(reader, host.org, held->package_set));
}

Reviewed lay_reviewed(store::Tx& tx, const Inventory& inventory, const InventoryReport& report,
                      model::Host& host, const PackageIds& present, const PackageIds& reported,
                      ReportOutcome& outcome, Instant now) {
  const auto former = hold_of(tx, host);
  PackageIds held;
  if (former) held = store::get_package_set(tx, host.org, former->package_set);
  // A delta is of what its sender believes that the server knows; a full report of the host.
  PackageIds former_told = difference(present, held);
  const PackageIds& base = report.delta ? former_told : present;
  LaidReport laid = lay_report(tx, report, base, reported, outcome);
  held = report.delta ? difference(held, laid.next) : PackageIds{};
  const bool mass = is_mass_removal(inventory.config, laid.gone.size(), base.size());
  if (mass) {
    held = unite(held, laid.gone);
    outcome.held = static_cast<std::int64_t>(laid.gone.size());
    outcome.removed -= outcome.held;
  }
  if (mass || (former && static_cast<std::int64_t>(held.size()) != former->package_count)) {
    set_hold(tx, former, host, held, mass, now);
  }
  if (mass && !former) {
    record_event(
        tx, inventory.ids, host.org, model::EventType::report_held,
        report.agent ? std::optional(report.agent->id) : std::nullopt, host.id,
        [&](JsonWriter& details) {
          details.member("packages", outcome.held).member("of", base.size());
        },
        now);
  }
  PackageIds next = unite(laid.next, held);
  return {std::move(next), std::move(laid.next), std::move(former_told)};
}

void end_hold(store::Tx& tx, model::Host& host) {
  if (const auto held = hold_of(tx, host)) set_hold(tx, held, host, {}, false, held->reported_at);
}

Result<ReviewOutcome> release_held_report(store::Tx& tx, const Inventory& inventory,
                                          const Actor& actor, OrgId org, HostId id, Instant now) {
  Review review = TRY(find_review(tx, org, id));
  auto& [host, held] = review;
  const PackageIds present = store::get_package_set(tx, org, *host.package_set);
  const PackageIds next = difference(present, store::get_package_set(tx, org, held.package_set));
  const auto knowledge = inventory.catalogue.current();
  ReviewOutcome outcome;
  outcome.host = id;
  outcome.packages = held.package_count;
  outcome.findings_resolved = set_software(tx, inventory, *knowledge, host, present, next, now) +
                              settle_conditions(tx, inventory, *knowledge, host, next, now);
  finish_review(tx, inventory, actor, review, "hosts.release", model::EventType::report_released,
                outcome, now);
  return outcome;
}

Result<ReviewOutcome> discard_held_report(store::Tx& tx, const Inventory& inventory,
                                          const Actor& actor, OrgId org, HostId id, Instant now) {
  Review review = TRY(find_review(tx, org, id));
  ReviewOutcome outcome;
  outcome.host = id;
  outcome.packages = review.second.package_count;
  // From now on it is taken to have told of these as well.
  review.first.set_hash.reset();
  // Its sender believes it gone and its deltas are of that.
  inventory.settings.force_full_scan(tx, org, id);
  finish_review(tx, inventory, actor, review, "hosts.discard", model::EventType::report_discarded,
                outcome, now);
  return outcome;
}

Result<HoldPage> list_hold_page(store::Store& store, std::optional<OrgId> org,
                                std::string_view cursor, int count) {
  const HostId after{TRY(parse_id_cursor(cursor, 0))};
  return store.read([&](store::Reader& reader) {
    HoldPage page;
    auto rows = store::list_held_reports(reader, org, after, count + 1);
    page.total = store::count_held_reports(reader, org);
    const bool more = rows.size() > static_cast<std::size_t>(count);
    if (more) rows.pop_back();
    for (store::ListedHold& row : rows) {
      HoldView view;
      const OrgId of = row.held.org;
      for (const PackageId id : store::get_package_set(reader, of, row.held.package_set)) {
        if (view.sample.size() == limits::held_sample) break;
        auto package = store::find_package(reader, of, id);
        CHECK(package.has_value());
        view.sample.push_back(std::move(package->package));
      }
      view.listed = std::move(row);
      page.holds.push_back(std::move(view));
    }
    if (more) page.next_cursor = std::to_string(page.holds.back().listed.held.host.value);
    return page;
  });
}

}  // namespace muster::fleet
