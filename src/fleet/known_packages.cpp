// SPDX-License-Identifier: Apache-2.0
#include "fleet/known_packages.h"

#include "fleet/package_list.h"
#include "store/store.h"

namespace muster::fleet {

void KnownPackages::load(store::Reader& reader) {
  store::for_each_package(
      reader, [&](const store::PackageRow& row) { orgs_[row.org].add(row.content, row.id); });
}

std::optional<PackageId> KnownPackages::find(OrgId org, const store::ContentId& content) const {
  const auto known = orgs_.find(org);
  if (known == orgs_.end()) return std::nullopt;
  const auto found = known->second.ids.find(content);
  if (found == known->second.ids.end()) return std::nullopt;
  return found->second;
}

std::size_t KnownPackages::size() const {
  std::size_t packages = 0;
  for (const auto& [org, known] : orgs_) packages += known.ids.size();
  return packages;
}

KnownPackages::Interned KnownPackages::intern(store::Tx& tx, OrgId org,
                                              std::string_view canonical) {
  const store::ContentId content = keyed_hash_.content_id(canonical);
  OfOrg& known = orgs_[org];
  if (const auto found = known.ids.find(content); found != known.ids.end()) {
    return {found->second, false};
  }
  // Another request of this very transaction may have stored it already, or another server.
  if (const auto id = store::find_package_by_content(tx, org, content)) {
    tx.on_commit([this, org, content, id = *id] { orgs_[org].add(content, id); });
    return {*id, false};
  }
  const PackageId id = store::insert_package(tx, org, content, parse_canonical(canonical));
  // An id that an undone transaction had taken comes again for another package.
  if (static_cast<std::size_t>(id.value) < known.verdicts.size()) {
    known.verdicts[static_cast<std::size_t>(id.value)] = {};
  }
  tx.on_commit([this, org, content, id] { orgs_[org].add(content, id); });
  return {id, true};
}

const Verdict& KnownPackages::verdict(store::Reader& reader, const Knowledge& knowledge, OrgId org,
                                      PackageId id) {
  if (knowledge.number != knowledge_) {
    for (auto& [each, of_org] : orgs_) of_org.verdicts.clear();
    knowledge_ = knowledge.number;
  }
  OfOrg& known = orgs_[org];
  auto& verdicts = known.verdicts;
  known.judged = std::max(known.judged, id.value);
  const auto index = static_cast<std::size_t>(id.value);
  if (verdicts.size() <= index) verdicts.resize(index + index / 4 + 64);
  std::optional<Verdict>& verdict = verdicts[index];
  if (!verdict) {
    const auto row = store::find_package(reader, org, id);
    CHECK(row.has_value());
    verdict = assess(knowledge, row->package);
  }
  return *verdict;
}

void KnownPackages::forget_verdicts(const PackageMarks& packages) {
  ++times_forgotten_;
  packages.for_each([&](OrgId org, PackageId id) {
    auto& verdicts = orgs_[org].verdicts;
    const auto index = static_cast<std::size_t>(id.value);
    if (index < verdicts.size()) verdicts[index].reset();
  });
}

void KnownPackages::forget_verdicts_of(OrgId org) {
  ++times_forgotten_;
  orgs_[org].verdicts.clear();
}

void KnownPackages::forget_unstored() {
  for (auto& [org, known] : orgs_) {
    const auto end = std::min(static_cast<std::size_t>(known.judged) + 1, known.verdicts.size());
    for (auto index = static_cast<std::size_t>(known.stored) + 1; index < end; ++index) {
      known.verdicts[index].reset();
    }
    known.judged = std::min(known.judged, known.stored);
  }
}

void KnownPackages::follow(const Knowledge& before, const Knowledge& after,
                           const PackageMarks& changed) {
  if (before.number != knowledge_) return;
  knowledge_ = after.number;
  for (auto& [org, known] : orgs_) {
    for (std::size_t index = 0; index < known.verdicts.size(); ++index) {
      std::optional<Verdict>& verdict = known.verdicts[index];
      if (!verdict) continue;
      // What is conditional is named by its place in the index, and that is another one.
      const PackageId id{static_cast<std::int64_t>(index)};
      if (!verdict->conditional.empty() || changed.contains(org, id)) verdict.reset();
    }
  }
}

}  // namespace muster::fleet
