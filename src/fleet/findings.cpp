// SPDX-License-Identifier: Apache-2.0
#include "fleet/findings.h"

#include "base/text.h"
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

/// A cursor is the place of the last finding of a page: "1:4:123".
std::string format_place(const store::FindingView& row) {
  return std::to_string(row.finding.known_exploited ? 1 : 0) + ":" +
         std::to_string(static_cast<int>(row.finding.severity)) + ":" +
         std::to_string(row.finding.id.value);
}

Result<store::FindingPlace> parse_place(std::string_view cursor) {
  const auto first = cursor.find(':');
  const auto second = cursor.find(':', first == std::string_view::npos ? first : first + 1);
  if (second != std::string_view::npos) {
    const auto known_exploited = parse_int(cursor.substr(0, first));
    const auto severity = parse_int(cursor.substr(first + 1, second - first - 1));
    const auto id = parse_int(cursor.substr(second + 1));
    if (known_exploited && severity && id) {
      return store::FindingPlace{*known_exploited != 0, *severity, FindingId{*id}};
    }
  }
  return invalid_field("cursor", "is not a cursor of this list");
}

}  // namespace

Result<FindingPage> list_finding_page(store::Store& store, const Catalogue& catalogue,
                                      const FindingQuery& query) {
  store::FindingFilter filter;
  filter.org = query.org;
  filter.host = query.host;
  filter.cve = query.cve;
  filter.package = query.package;
  filter.known_exploited = query.known_exploited;
  filter.severity_min = static_cast<std::int64_t>(query.severity_min);
  filter.statuses = query.statuses;
  if (!query.cursor.empty()) filter.after = TRY(parse_place(query.cursor));
  FindingPage page;
  auto rows = store.read([&](store::Reader& reader) {
    page.total = store::count_findings(reader, filter);
    return store::list_findings(reader, filter, query.count + 1);
  });
  if (rows.size() > static_cast<std::size_t>(query.count)) {
    rows.pop_back();
    page.next_cursor = format_place(rows.back());
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
