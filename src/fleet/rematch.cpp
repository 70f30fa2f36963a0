// SPDX-License-Identifier: Apache-2.0
#include "fleet/rematch.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fleet/host_matching.h"
#include "store/sql/agents.h"
#include "store/sql/inventory.h"
#include "store/sql/orgs.h"
#include "store/store.h"
#include "vuln/index.h"
#include "vuln/index_diff.h"

namespace muster::fleet {

namespace {

/// Hosts matched again in one transaction: keeps the writer free for agents in between.
constexpr int hosts_per_batch = 50;

/// Packages that came while the others were looked at: they were judged by what was known before.
void add_new_packages(store::Tx& tx, const LastPackages& last, PackageMarks& changed) {
  for (const store::Org& org : store::list_orgs(tx)) {
    const auto seen = last.find(org.id);
    const PackageId after = seen == last.end() ? PackageId{0} : seen->second;
    for (const PackageId id : store::list_packages_after(tx, org.id, after)) {
      changed.add(org.id, id);
    }
  }
}

void add(RematchCount& sum, const MatchCount& count) {
  ++sum.hosts;
  sum.opened += count.opened;
  sum.resolved += count.resolved;
}

}  // namespace

LastPackages find_changed_packages(store::Reader& reader, const Knowledge& before,
                                   const Knowledge& after, PackageMarks& changed) {
  LastPackages last;
  vuln::IndexDiff diff(*before.index, *after.index);
  store::for_each_package(reader, [&](const store::PackageRow& row) {
    PackageId& seen = last[row.org];
    seen = std::max(seen, row.id);
    if (!diff.touches(row.package)) return;
    if (vuln::fingerprint(*before.index, row.package) !=
        vuln::fingerprint(*after.index, row.package)) {
      changed.add(row.org, row.id);
    }
  });
  return last;
}

PackageSets find_sets_with(store::Reader& reader, const PackageMarks& changed) {
  PackageSets sets;
  store::for_each_package_set(reader, [&](const store::PackageSetRow& set) {
    if (changed.contains_any(set.org, set.members)) sets.emplace(set.org, set.hash);
  });
  return sets;
}

HostNames find_hosts_with(store::Reader& reader, const PackageMarks& changed) {
  const PackageSets sets = find_sets_with(reader, changed);
  HostNames hosts;
  if (sets.empty()) return hosts;
  store::for_each_host_set(reader, [&](OrgId org, HostId host, const crypto::KeyHash& set) {
    if (sets.contains({org, set})) hosts.emplace_back(org, host);
  });
  return hosts;
}

Adoption adopt_feeds(store::Store& store, Catalogue& catalogue, KnownPackages& packages) {
  for (;;) {
    const auto before = catalogue.current();
    const std::uint64_t times_forgotten = packages.times_forgotten();
    const auto changed = std::make_shared<PackageMarks>();
    LastPackages last;
    const std::shared_ptr<Knowledge> fresh = store.read([&](store::Reader& reader) {
      auto read = catalogue.read(reader, *before);
      if (read->index != before->index) {
        last = find_changed_packages(reader, *before, *read, *changed);
      }
      return read;
    });
    const bool adopted = store.write([&](store::Tx& tx) {
      // Since it was read, another import came, or an operator said what some packages are.
      if (!holds_imports(*fresh, store::list_feeds(tx)) || catalogue.current() != before ||
          packages.times_forgotten() != times_forgotten) {
        return false;
      }
      if (fresh->index != before->index) add_new_packages(tx, last, *changed);
      tx.on_commit([&catalogue, &packages, before, fresh, changed] {
        catalogue.publish(fresh);
        packages.follow(*before, *fresh, *changed);
      });
      return true;
    });
    if (adopted) return {fresh, changed};
  }
}

RematchCount rematch_hosts(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                           KnownPackages& packages, const PackageMarks& changed, Instant now) {
  RematchCount sum;
  if (changed.empty()) return sum;
  const HostNames hosts =
      store.read([&](store::Reader& reader) { return find_hosts_with(reader, changed); });
  for (std::size_t first = 0; first < hosts.size(); first += hosts_per_batch) {
    if (catalogue.stops_matching()) return sum;
    store.write([&](store::Tx& tx) {
      const auto knowledge = catalogue.current();
      const std::size_t last = std::min(hosts.size(), first + hosts_per_batch);
      for (std::size_t at = first; at < last; ++at) {
        const auto host = store::find_host(tx, hosts[at].first, hosts[at].second);
        if (!host) continue;
        add(sum, match_host(tx, ids, *knowledge, packages, *host, &changed, now));
      }
    });
  }
  return sum;
}

RematchCount rematch_all_hosts(store::Store& store, NumberIds& ids, const Catalogue& catalogue,
                               KnownPackages& packages, Instant now) {
  RematchCount sum;
  for (HostId after;;) {
    if (catalogue.stops_matching()) return sum;
    const std::size_t batch = store.write([&](store::Tx& tx) {
      const auto knowledge = catalogue.current();
      const auto page = store::list_hosts(tx, {}, after, hosts_per_batch);
      for (const model::Host& host : page) {
        add(sum, match_host(tx, ids, *knowledge, packages, host, nullptr, now));
        after = host.id;
      }
      return page.size();
    });
    if (batch < hosts_per_batch) return sum;
  }
}

}  // namespace muster::fleet
