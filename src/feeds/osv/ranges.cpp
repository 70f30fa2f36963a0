// SPDX-License-Identifier: Apache-2.0
#include "feeds/osv/ranges.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "feeds/plain.h"

namespace muster::feeds {

namespace {

using model::VersionRange;
using version::Scheme;

/// More than any record lists beside its ranges, and as many as a stored advisory may have.
constexpr std::size_t ranges_max = 2000;

/// In the order in which events of one version count: a version that one event fixes and another
/// introduces is affected.
enum class EventKind { fixed, introduced, last_affected };

struct Event {
  EventKind kind;
  std::string_view version;  // empty: before all versions
};

std::string_view text_of(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->string().value_or("") : std::string_view{};
}

Result<std::vector<Event>> read_events(const Json& range, Scheme scheme) {
  std::vector<Event> events;
  std::optional<Error> wrong;
  const auto take = [&](EventKind kind, std::string_view version) {
    if (version.size() > limits::version_bytes || !version::validate(scheme, version).ok()) {
      wrong = invalid_field("events", "has no version in \"" + plain_line(version, 40) + "\"");
    }
    events.push_back({kind, version});
  };
  const auto list = range.find("events");
  if (!list || !list->is_array()) return invalid_field("events", "is missing");
  list->for_each([&](const Json& event) {
    const std::string_view introduced = text_of(event, "introduced");
    if (introduced == "0") {
      events.push_back({EventKind::introduced, {}});
    } else if (!introduced.empty()) {
      take(EventKind::introduced, introduced);
    }
    // Versions from a limit on are none of this range's.
    for (const std::string_view name : {"fixed", "limit"}) {
      const std::string_view end = text_of(event, name);
      if (!end.empty() && end != "*") take(EventKind::fixed, end);
    }
    const std::string_view last = text_of(event, "last_affected");
    if (!last.empty()) take(EventKind::last_affected, last);
  });
  if (wrong) return *wrong;
  std::stable_sort(events.begin(), events.end(), [&](const Event& a, const Event& b) {
    if (a.version.empty() || b.version.empty()) return a.version.empty() && !b.version.empty();
    const auto order = version::compare_valid(scheme, a.version, b.version);
    return order != 0 ? order < 0 : a.kind < b.kind;
  });
  return events;
}

/// The schema's state machine over sorted events.
Result<void> add_range(const Json& range, Scheme scheme, std::vector<VersionRange>& ranges) {
  const std::vector<Event> events = TRY(read_events(range, scheme));
  bool affected = false;
  bool began = false;
  for (const Event& event : events) {
    if (event.kind == EventKind::introduced) {
      began = true;
      if (affected) continue;
      affected = true;
      ranges.push_back({std::string(event.version), {}, {}});
    } else if (affected) {
      affected = false;
      std::string& end =
          event.kind == EventKind::fixed ? ranges.back().fixed : ranges.back().last_affected;
      end = event.version;
    }
  }
  if (!began) return invalid_field("events", "introduce nothing");
  return {};
}

bool holds(const VersionRange& range, Scheme scheme, std::string_view version) {
  const auto order = [&](const std::string& end) {
    return version::compare_valid(scheme, version, end);
  };
  if (!range.introduced.empty() && order(range.introduced) < 0) return false;
  if (!range.fixed.empty() && order(range.fixed) >= 0) return false;
  return range.last_affected.empty() || order(range.last_affected) <= 0;
}

/// GitHub's advisories once kept an upper bound outside the schema: "<= 1.4.2", "< 2.0".
void close_open_end(const Json& affected, Scheme scheme, std::vector<VersionRange>& ranges) {
  if (ranges.size() != 1 || !ranges[0].fixed.empty() || !ranges[0].last_affected.empty()) return;
  const auto own = affected.find("database_specific");
  std::string_view bound = own ? text_of(*own, "last_known_affected_version_range") : "";
  const bool inclusive = bound.starts_with("<=");
  if (!inclusive && !bound.starts_with('<')) return;
  bound = trim(bound.substr(inclusive ? 2 : 1));
  if (!version::validate(scheme, bound).ok()) return;
  (inclusive ? ranges[0].last_affected : ranges[0].fixed) = bound;
}

}  // namespace

Result<std::vector<VersionRange>> read_osv_ranges(const Json& affected, Scheme scheme) {
  std::vector<VersionRange> ranges;
  std::optional<Error> wrong;
  const auto list = affected.find("ranges");
  if (list && list->is_array()) {
    list->for_each([&](const Json& range) {
      const std::string_view type = text_of(range, "type");
      if (type != "SEMVER" && type != "ECOSYSTEM") return;
      if (auto added = add_range(range, scheme, ranges); !added.ok()) wrong = added.error();
    });
  }
  close_open_end(affected, scheme, ranges);
  const std::size_t of_events = ranges.size();
  bool listed = false;
  if (const auto versions = affected.find("versions"); versions && versions->is_array()) {
    versions->for_each([&](const Json& each) {
      const std::string_view version = each.string().value_or("");
      // A version that the scheme cannot read is none that an installation could be compared with.
      if (version.size() > limits::version_bytes || !version::validate(scheme, version).ok())
        return;
      listed = true;
      const bool held =
          std::any_of(ranges.begin(), ranges.begin() + static_cast<std::ptrdiff_t>(of_events),
                      [&](const auto& range) { return holds(range, scheme, version); });
      if (!held) ranges.push_back({std::string(version), {}, std::string(version)});
    });
  }
  // The listed versions are all that the ranges hold, so nothing is lost with one of no sense.
  if (wrong && !listed) return *wrong;
  if (ranges.size() > ranges_max) return invalid_field("versions", "lists too many");
  return ranges;
}

}  // namespace muster::feeds
