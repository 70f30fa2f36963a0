// SPDX-License-Identifier: Apache-2.0
#include "fleet/findings.h"

#include <algorithm>

#include "base/limits.h"
#include "fleet/finding_cursor.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

FindingView joined(const Knowledge& knowledge, store::FindingView stored) {
  FindingView view{std::move(stored), std::nullopt};
  if (view.stored.finding.cve) {
    const auto found = knowledge.kev.find(*view.stored.finding.cve);
    if (found != knowledge.kev.end()) view.kev = found->second;
  }
  return view;
}

SievedFinding sieved(const store::PlacedFinding& each) {
  return {each.org, each.host, each.place.known_exploited, each.place.severity,
          each.cve ? std::string_view(*each.cve) : std::string_view()};
}

/// The next findings that pass a sieve.
struct Sifted {
  std::vector<store::PlacedFinding> places;
  std::optional<store::FindingPlace> stopped;  // where it stopped looking, if there may be more
};
Sifted sift(store::Reader& reader, const store::FindingFilter& filter, FindingSieve& sieve,
            std::size_t wanted) {
  constexpr std::size_t batch_min = 100;
  constexpr std::size_t batch_max = 2000;
  store::FindingFilter candidates = sieve.candidates(filter);
  Sifted sifted;
  std::size_t batch = batch_min;
  for (std::size_t looked = 0; looked < limits::searched_findings;) {
    const auto [places, read] =
        store::list_finding_places(reader, candidates, static_cast<int>(batch));
    looked += read;
    for (const store::PlacedFinding& each : places) sieve.announce(sieved(each));
    sieve.read_scores(reader);
    for (const store::PlacedFinding& each : places) {
      if (!sieve.passes(sieved(each), filter)) continue;
      sifted.places.push_back(each);
      if (sifted.places.size() == wanted) return sifted;
    }
    if (places.size() < batch) return sifted;
    candidates.after = places.back().place;
    // Of many organisations, a batch reads as much of each and throws most of it away.
    batch = std::clamp(batch_max * batch / read, batch_min, batch_max);
  }
  sifted.stopped = candidates.after;
  return sifted;
}

/// How many findings a list has over all its pages.
store::Total count_sieved(store::Reader& reader, store::FindingFilter filter, FindingSieve& sieve) {
  if (sieve.idle()) return store::count_findings(reader, filter);
  filter.after.reset();
  constexpr auto most = static_cast<std::size_t>(limits::counted_rows);
  const Sifted all = sift(reader, filter, sieve, most + 1);
  return {static_cast<std::int64_t>(std::min(all.places.size(), most)),
          all.places.size() <= most && !all.stopped};
}

/// The page's findings and one more if there are more.
std::vector<store::FindingView> read_rows(store::Reader& reader, const FindingQuery& query,
                                          const store::FindingFilter& filter, FindingPage& page) {
  FindingSieve sieve(query.among, query.epss_min);
  page.total = count_sieved(reader, filter, sieve);
  page.unknown_not_shown = count_unknown_not_shown(reader, filter, sieve);
  if (sieve.idle()) return store::list_findings(reader, filter, query.count + 1);
  const Sifted next = sift(reader, filter, sieve, static_cast<std::size_t>(query.count) + 1);
  if (next.stopped) page.next_cursor = format_finding_place(*next.stopped);
  return store::list_findings_at(reader, next.places);
}

}  // namespace

store::Total count_unknown_not_shown(store::Reader& reader, store::FindingFilter filter,
                                     FindingSieve& sieve) {
  if (!sieve.doubts(filter) || filter.unrated == store::Unrated::shown) return {};
  filter.unrated = store::Unrated::alone;
  return count_sieved(reader, std::move(filter), sieve);
}

Result<FindingPage> list_finding_page(store::Store& store, const Catalogue& catalogue,
                                      const FindingQuery& query) {
  store::FindingFilter filter;
  filter.org = query.org;
  filter.host = query.host;
  filter.cve = query.cve;
  filter.package = query.package;
  filter.known_exploited = query.known_exploited;
  filter.severity_min = static_cast<std::int64_t>(query.severity_min);
  if (query.include_unknown) filter.unrated = store::Unrated::shown;
  filter.statuses = query.statuses;
  if (!query.cursor.empty()) filter.after = TRY(parse_finding_place(query.cursor));
  FindingPage page;
  auto rows =
      store.read([&](store::Reader& reader) { return read_rows(reader, query, filter, page); });
  if (rows.size() > static_cast<std::size_t>(query.count)) {
    rows.pop_back();
    page.next_cursor = format_finding_place(
        {rows.back().finding.known_exploited,
         static_cast<std::int64_t>(rows.back().finding.severity), rows.back().finding.id});
  }
  const std::shared_ptr<const Knowledge> knowledge = catalogue.current();
  for (store::FindingView& row : rows) {
    page.findings.push_back(joined(*knowledge, std::move(row)));
  }
  return page;
}

Result<FindingView> show_finding(store::Store& store, const Catalogue& catalogue, FindingId id) {
  auto found = store.read([&](store::Reader& reader) { return store::find_finding(reader, id); });
  if (!found) return Error{Errc::not_found, "There is no such finding."};
  return joined(*catalogue.current(), std::move(*found));
}

}  // namespace muster::fleet
