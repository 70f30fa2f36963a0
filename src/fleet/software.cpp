// SPDX-License-Identifier: Apache-2.0
#include "fleet/software.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/limits.h"
#include "fleet/announcements.h"
#include "fleet/cursor.h"
#include "model/cpe.h"
#include "store/sql/identity_overrides.h"
#include "store/sql/inventory.h"
#include "store/store.h"
#include "vuln/identify.h"
#include "vuln/index.h"
#include "vuln/match.h"

namespace muster::fleet {

namespace {

constexpr int packages_per_read = 500;
/// Packages that a page of what is unmapped looks at: about 0.2 s.
constexpr int packages_per_page = 20'000;

Result<std::pair<OrgId, PackageId>> parse_place(std::string_view cursor) {
  const CursorParts parts = TRY(split_cursor(cursor, ':'));
  const OrgId org{TRY(parse_cursor_number(parts.first))};
  const PackageId id{TRY(parse_cursor_number(parts.rest))};
  return std::pair(org, id);
}

std::string format_place(const store::PackageRow& row) {
  return std::to_string(row.org.value) + ":" + std::to_string(row.id.value);
}

/// How sure it is that the package is what it is taken for.
std::string confidence_of(const vuln::Identity& identity) {
  if (identity.kind == vuln::Identity::Kind::none) return "none";
  const bool guessed = identity.kind == vuln::Identity::Kind::cpe &&
                       identity.cpe_source == vuln::Identity::Source::vocabulary;
  return guessed ? "medium" : "high";
}

ListedSoftware view_of(const Knowledge& knowledge, store::PackageRow row) {
  ListedSoftware view;
  const vuln::Identity identity = vuln::identify(row.package, knowledge.index->cpe());
  view.identity = vuln::identity_kind_name(identity.kind);
  view.method = vuln::cpe_source_name(identity.cpe_source);
  view.confidence = confidence_of(identity);
  if (const auto main = model::parse_cpe(identity.cpe); main.ok()) {
    view.products.push_back((*main)[model::CpeAttribute::vendor] + ":" +
                            (*main)[model::CpeAttribute::product]);
  }
  for (const vuln::CpeName& other : identity.others) {
    view.products.push_back(std::string(other.vendor).append(":").append(other.product));
  }
  const vuln::Verdict verdict = vuln::match(*knowledge.index, row.package);
  view.state = vuln::state_name(verdict.state);
  view.reason = vuln::reason_name(verdict.reason);
  view.reason_text = vuln::reason_text(verdict.reason);
  view.org = row.org;
  view.id = row.id;
  view.package = std::move(row.package);
  return view;
}

bool is_unmapped(const Knowledge& knowledge, const model::Package& package) {
  if (package.identity) return false;
  const auto identity = vuln::identify(package, knowledge.index->cpe());
  return identity.kind == vuln::Identity::Kind::none;
}

/// The packages of a page and one more if there are more. Says where it stopped looking.
std::vector<store::PackageRow> read_rows(store::Reader& reader, const Knowledge& knowledge,
                                         const SoftwareQuery& query, store::PackageFilter filter,
                                         std::string& stopped) {
  const auto wanted = static_cast<std::size_t>(query.count) + 1;
  if (!query.unmapped) return store::list_packages(reader, filter, query.count + 1);
  std::vector<store::PackageRow> found;
  for (int looked = 0; looked < packages_per_page; looked += packages_per_read) {
    auto rows = store::list_packages(reader, filter, packages_per_read);
    for (store::PackageRow& row : rows) {
      filter.after_org = row.org;
      filter.after = row.id;
      if (is_unmapped(knowledge, row.package)) found.push_back(std::move(row));
      if (found.size() == wanted) return found;
    }
    if (rows.size() < packages_per_read) return found;
  }
  stopped = std::to_string(filter.after_org.value) + ":" + std::to_string(filter.after.value);
  return found;
}

struct SetHash {
  std::size_t operator()(const crypto::KeyHash& set) const noexcept {
    std::size_t octets = 0;
    std::memcpy(&octets, set.bytes.data(), sizeof octets);
    return octets;
  }
};

/// Reads through all sets, once for a whole page.
void count_hosts(store::Reader& reader, std::vector<ListedSoftware>& page) {
  if (page.empty()) return;
  std::map<std::pair<OrgId, PackageId>, std::int64_t*> counts;
  for (ListedSoftware& view : page) counts[{view.org, view.id}] = &view.hosts;
  std::map<OrgId, std::unordered_map<crypto::KeyHash, std::int64_t, SetHash>> hosts;
  store::for_each_host_set(
      reader, [&](OrgId org, HostId, const crypto::KeyHash& set) { ++hosts[org][set]; });
  store::for_each_package_set(reader, [&](const store::PackageSetRow& set) {
    const auto& of_org = hosts[set.org];
    const auto having = of_org.find(set.hash);
    if (having == of_org.end()) return;
    for (auto& [name, count] : counts) {
      if (name.first != set.org) continue;
      if (std::binary_search(set.members.begin(), set.members.end(), name.second)) {
        *count += having->second;
      }
    }
  });
}

store::Total total_of(store::Reader& reader, const SoftwareQuery& query,
                      const store::PackageFilter& filter, const SoftwarePage& page) {
  if (!query.unmapped) return store::count_packages(reader, filter);
  // What nothing identifies is no column: a page knows itself, and whether there are more.
  store::Total total;
  total.value = static_cast<std::int64_t>(page.software.size());
  total.exact = query.cursor.empty() && page.next_cursor.empty();
  return total;
}

/// Software that an operator can speak of: what a distribution or a registry names is what it is.
bool can_be_overridden(const model::Package& package) {
  return vuln::identity_kind(package) == vuln::Identity::Kind::cpe;
}

PackageMarks packages_named(store::Reader& reader, OrgId org, const std::string& name,
                            const std::string& vendor) {
  PackageMarks marks;
  store::PackageFilter filter;
  filter.org = org;
  filter.name = name;
  filter.vendor = vendor;
  for (;;) {
    const auto rows = store::list_packages(reader, filter, packages_per_read);
    for (const store::PackageRow& row : rows) {
      if (can_be_overridden(row.package)) marks.add(org, row.id);
    }
    if (rows.size() < packages_per_read) return marks;
    filter.after_org = org;
    filter.after = rows.back().id;
  }
}

std::string describe(const std::optional<model::IdentityOverride>& identity) {
  if (!identity) return "cleared";
  if (identity->skipped) return "skip";
  std::string text;
  for (const model::ProductName& each : identity->products) {
    text.append(text.empty() ? "" : " ").append(each.vendor).append(":").append(each.product);
  }
  return text;
}

RematchCount follow(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                    KnownPackages& packages, const store::IdentityOverrideRow& row,
                    const PackageMarks& named, Instant now) {
  const RematchCount count = rematch_hosts(store, ids, catalogue, packages, named, now);
  if (catalogue.stops_matching()) return count;
  store.write([&](store::Tx& tx) { store::set_identity_override_matched(tx, row); });
  return count;
}

}  // namespace

Result<SoftwarePage> list_software_page(store::Store& store, const Catalogue& catalogue,
                                        const SoftwareQuery& query) {
  store::PackageFilter filter;
  filter.org = query.org;
  filter.name = query.name;
  filter.text = query.text;
  if (!query.cursor.empty()) {
    std::tie(filter.after_org, filter.after) = TRY(parse_place(query.cursor));
  }
  const auto knowledge = catalogue.current();
  return store.read([&](store::Reader& reader) {
    SoftwarePage page;
    auto rows = read_rows(reader, *knowledge, query, filter, page.next_cursor);
    if (rows.size() > static_cast<std::size_t>(query.count)) {
      rows.pop_back();
      page.next_cursor = format_place(rows.back());
    }
    for (store::PackageRow& row : rows) {
      page.software.push_back(view_of(*knowledge, std::move(row)));
      ListedSoftware& view = page.software.back();
      view.open_findings = store::count_open_findings_of_package(reader, view.org, view.id);
    }
    count_hosts(reader, page.software);
    page.total = total_of(reader, query, filter, page);
    return page;
  });
}

Result<model::ProductName> parse_product_name(std::string_view text) {
  std::size_t colon = 0;
  while (colon < text.size() && text[colon] != ':') colon += text[colon] == '\\' ? 2U : 1U;
  if (colon >= text.size()) return invalid_field("products", "must be vendor:product");
  const std::string_view vendor = text.substr(0, colon);
  const std::string_view product = text.substr(colon + 1);
  const auto escaped = [](std::string_view value) {
    return model::escape_cpe_value(model::unescape_cpe_value(value));
  };
  model::ProductName name{escaped(vendor), escaped(product)};
  if (vendor == "*" || product == "*" ||
      !model::parse_cpe(model::make_cpe(name.vendor, name.product, "")).ok()) {
    return invalid_field("products", "must be vendor:product in the words of CPE");
  }
  return name;
}

Result<PackageMarks> record_identity_order(store::Tx& tx, NumberIds& ids, KnownPackages& packages,
                                           const Actor& actor, const IdentityOrder& order,
                                           Instant now) {
  const auto former = store::find_identity_override(tx, order.org, order.name, order.vendor);
  if (!order.identity && (!former || !former->identity)) {
    return Error{Errc::not_found, "Nothing was said of software of that name and vendor."};
  }
  store::set_identity_override(tx,
                               {order.org, order.name, order.vendor, order.identity, now, false});
  record_audit(
      tx, ids, order.org, actor, order.identity ? "software.map" : "software.clear", order.name,
      [&](JsonWriter& details) {
        details.member("vendor", order.vendor).member("products", describe(order.identity));
      },
      now);
  PackageMarks named = packages_named(tx, order.org, order.name, order.vendor);
  announce_identities(tx, order.org);
  tx.on_commit([&packages, named] { packages.forget_verdicts(named); });
  return named;
}

Result<RematchCount> change_identity(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                     KnownPackages& packages, const Actor& actor,
                                     const IdentityOrder& order, Instant now) {
  const Catalogue::Import running(catalogue);
  const PackageMarks named = TRY(store.write(
      [&](store::Tx& tx) { return record_identity_order(tx, ids, packages, actor, order, now); }));
  return follow(store, ids, catalogue, packages,
                {order.org, order.name, order.vendor, order.identity, now, false}, named, now);
}

std::size_t finish_identity_orders(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                                   KnownPackages& packages, Instant now) {
  if (catalogue.importing()) return 0;
  std::size_t hosts = 0;
  for (const store::IdentityOverrideRow& row : store.read([](store::Reader& reader) {
         return store::list_unmatched_identity_overrides(reader);
       })) {
    const PackageMarks named = store.read([&](store::Reader& reader) {
      return packages_named(reader, row.org, row.name, row.vendor);
    });
    if (catalogue.stops_matching()) break;
    hosts += follow(store, ids, catalogue, packages, row, named, now).hosts;
  }
  return hosts;
}

}  // namespace muster::fleet
