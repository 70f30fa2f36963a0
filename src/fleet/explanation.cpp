// SPDX-License-Identifier: Apache-2.0
#include "fleet/explanation.h"

#include <vector>

#include "base/check.h"
#include "base/json_read.h"
#include "store/sql/agents.h"
#include "store/sql/inventory.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

vuln::Surroundings surroundings_of(store::Reader& reader, const Knowledge& knowledge,
                                   const model::Host& host) {
  std::vector<model::Package> software;
  if (host.package_set) {
    for (const PackageId id : store::get_package_set(reader, host.org, *host.package_set)) {
      auto row = store::find_package(reader, host.org, id);
      CHECK(row.has_value());
      software.push_back(std::move(row->package));
    }
  }
  return {host.os_name, host.os_version, software, knowledge.index->cpe()};
}

}  // namespace

Result<FindingExplanation> explain_finding(store::Store& store, const Catalogue& catalogue,
                                           FindingId id) {
  const auto knowledge = catalogue.current();
  FindingView view = TRY(show_finding(store, catalogue, id));
  const model::Finding& finding = view.stored.finding;
  JsonDocument document;
  const Result<Json> kept = document.parse(finding.evidence);
  CHECK(kept.ok());
  const auto evidence = kept->find("evidence");
  CHECK(evidence.has_value());
  const vuln::Surroundings surroundings = store.read([&](store::Reader& reader) {
    const auto host = store::find_host(reader, finding.org, finding.host);
    CHECK(host.has_value());
    return surroundings_of(reader, *knowledge, *host);
  });
  auto explanation = vuln::explain(*knowledge->index, view.stored.package,
                                   vuln::decode_evidence(*evidence), surroundings);
  return FindingExplanation{std::move(view), std::move(explanation)};
}

}  // namespace muster::fleet
