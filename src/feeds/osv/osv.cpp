// SPDX-License-Identifier: Apache-2.0
#include "feeds/osv/osv.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "base/check.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"
#include "feeds/json_values.h"
#include "feeds/osv/ecosystem.h"
#include "feeds/osv/ranges.h"
#include "feeds/plain.h"
#include "model/cvss.h"

namespace muster::feeds {

namespace {

using model::Advisory;
using model::Severity;

constexpr std::size_t summary_bytes = 500;

std::string_view text_of(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->string().value_or("") : std::string_view{};
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= limits::name_bytes && is_plain_text(text);
}

void add_ids(const Json& record, std::string_view name, std::vector<std::string>& ids) {
  const auto list = record.find(name);
  if (!list || !list->is_array()) return;
  list->for_each([&](const Json& each) {
    const std::string_view id = each.string().value_or("");
    if (is_id(id) && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.emplace_back(id);
  });
}

/// The flaws that a distribution's bulletin fixes: newer records name them `upstream`, older ones
/// `related`, which in a registry's record are other flaws. Go's records may be about several, all
/// of which are aliases. None for a record that is about one flaw and says so.
std::vector<std::string> flaws_of(const Json& record, const Advisory& advisory) {
  std::vector<std::string> flaws;
  if (!model::is_cve_id(advisory.id)) {
    std::copy_if(advisory.aliases.begin(), advisory.aliases.end(), std::back_inserter(flaws),
                 model::is_cve_id);
    if (flaws.size() > 1) return flaws;
    flaws.clear();
  }
  if (advisory.cve()) return flaws;
  add_ids(record, "upstream", flaws);
  if (!advisory.distro.empty()) add_ids(record, "related", flaws);
  std::erase_if(flaws, [](const std::string& id) { return !model::is_cve_id(id); });
  return flaws;
}

/// The word of a publisher: GitHub's database_specific.severity, the first word of an
/// enterprise distribution's summary ("Important: firefox security update").
Severity severity_of_word(std::string_view word) {
  if (equal_folded(word, "moderate")) return Severity::medium;
  if (equal_folded(word, "important")) return Severity::high;
  return model::parse_severity(word).value_or(Severity::unknown);
}

void set_severity(Advisory& advisory, const Json& record) {
  const auto list = record.find("severity");
  if (list && list->is_array()) {
    Severity word = Severity::unknown;
    list->for_each([&](const Json& each) {
      const std::string_view score = text_of(each, "score");
      if (const auto tenths = model::cvss3_base_tenths(score)) {
        advisory.score_tenths = tenths;
        advisory.severity = model::severity_of_cvss(*tenths);
      } else if (text_of(each, "type") == "Ubuntu") {
        word = severity_of_word(score);
      }
    });
    if (advisory.severity == Severity::unknown) advisory.severity = word;
  }
  if (advisory.severity != Severity::unknown) return;
  const auto own = record.find("database_specific");
  advisory.severity = severity_of_word(own ? text_of(*own, "severity") : std::string_view());
  if (advisory.severity != Severity::unknown) return;
  const std::string_view summary = text_of(record, "summary");
  const auto colon = summary.find(':');
  if (colon != std::string_view::npos)
    advisory.severity = severity_of_word(summary.substr(0, colon));
}

/// Ubuntu's word for the severity in one of its releases.
Severity ubuntu_priority(const Json& affected) {
  const auto own = affected.find("ecosystem_specific");
  return severity_of_word(own ? text_of(*own, "ubuntu_priority") : std::string_view());
}

bool is_open(const model::VersionRange& range) {
  return range.fixed.empty() && range.last_affected.empty();
}

std::vector<Advisory>::iterator find_advisory(std::vector<Advisory>& advisories,
                                              model::Ecosystem ecosystem, const std::string& distro,
                                              const std::string& package) {
  return std::find_if(advisories.begin(), advisories.end(), [&](const Advisory& each) {
    return std::tie(each.ecosystem, each.distro, each.package) ==
           std::tie(ecosystem, distro, package);
  });
}

class OsvReader {
 public:
  OsvReader(const std::function<void(Advisory&&)>& take, const WantRecord& wants)
      : take_(take), wants_(wants) {}

  void read(const Json& value) {
    if (value.is_array()) return value.for_each([&](const Json& each) { read(each); });
    const std::string_view id = text_of(value, "id");
    if (!is_id(id)) return summary_.skip("record " + std::to_string(seen_), "has no id");
    ++seen_;
    if (wants_ && !wants_(id, text_of(value, "modified"))) return;
    const auto withdrawn = value.find("withdrawn");
    const std::size_t before = summary_.records;
    if (!withdrawn || withdrawn->is_null()) read_record(id, value);
    if (summary_.records == before) ++summary_.silent;
  }

  std::size_t seen() const { return seen_; }
  FeedSummary finish() { return std::move(summary_); }

 private:
  void read_record(std::string_view id, const Json& record) {
    Advisory common;
    common.feed = "osv";
    common.id = id;
    add_ids(record, "aliases", common.aliases);
    set_severity(common, record);
    const std::string_view summary = text_of(record, "summary");
    common.summary =
        plain_line(summary.empty() ? text_of(record, "details") : summary, summary_bytes);
    const std::string_view modified = text_of(record, "modified");
    if (is_id(modified)) summary_.released = std::max(summary_.released, std::string(modified));

    std::vector<Advisory> advisories;
    std::vector<Advisory> extended;
    const auto affected = record.find("affected");
    if (!affected || !affected->is_array()) return;
    affected->for_each([&](const Json& each) {
      const auto package = each.find("package");
      const auto where = package ? read_osv_ecosystem(text_of(*package, "ecosystem"))
                                 : std::optional<OsvEcosystem>();
      if (!where) return;
      read_affected(common, each, *where, text_of(*package, "name"),
                    where->subscription ? extended : advisories);
    });
    for (Advisory& each : extended) extend(advisories, std::move(each));
    for (Advisory& advisory : advisories) {
      advisory.flaws = flaws_of(record, advisory);
      if (!advisory.flaws.empty()) std::erase_if(advisory.aliases, model::is_cve_id);
      ++summary_.records;
      take_(std::move(advisory));
    }
  }

  /// Records name a package once for each of its branches: their ranges are one advisory's.
  void read_affected(const Advisory& common, const Json& affected, const OsvEcosystem& where,
                     std::string_view package, std::vector<Advisory>& advisories) {
    const std::string name = model::canonical_package_name(where.ecosystem, package);
    if (!is_id(name)) return summary_.skip(common.id, "names no package");
    const auto scheme = version::parse_scheme(model::ecosystem_scheme(where.ecosystem));
    CHECK(scheme.has_value());
    auto ranges = read_osv_ranges(affected, *scheme);
    if (!ranges.ok()) {
      return summary_.skip(common.id + "." + plain_line(name, 80), ranges.error().message);
    }
    if (ranges->empty()) return;
    auto found = find_advisory(advisories, where.ecosystem, where.distro, name);
    if (found == advisories.end()) {
      found = advisories.insert(advisories.end(), common);
      found->ecosystem = where.ecosystem;
      found->distro = where.distro;
      found->package = name;
      if (found->severity == Severity::unknown) found->severity = ubuntu_priority(affected);
    }
    for (model::VersionRange& range : *ranges) {
      if (std::find(found->ranges.begin(), found->ranges.end(), range) == found->ranges.end()) {
        found->ranges.push_back(std::move(range));
      }
    }
  }

  /// Where the release itself has no fix, that of its subscription is one: a build that has it says
  /// so in its version ("+esm1"), and any other is affected.
  static void extend(std::vector<Advisory>& advisories, Advisory&& extended) {
    const auto found =
        find_advisory(advisories, extended.ecosystem, extended.distro, extended.package);
    if (found == advisories.end()) {
      advisories.push_back(std::move(extended));
    } else if (std::any_of(found->ranges.begin(), found->ranges.end(), is_open)) {
      found->ranges = std::move(extended.ranges);
    }
  }

  const std::function<void(Advisory&&)>& take_;
  const WantRecord& wants_;
  FeedSummary summary_;
  std::size_t seen_ = 0;
};

}  // namespace

Result<FeedSummary> parse_osv(std::string_view text, const std::function<void(Advisory&&)>& take,
                              const WantRecord& wants) {
  OsvReader reader(take, wants);
  JsonDocument document;
  while (const auto value = take_json_value(text)) {
    reader.read(TRY(document.parse(*value)));
  }
  const std::size_t seen = reader.seen();
  FeedSummary summary = reader.finish();
  if (seen == 0) {
    const std::string first = summary.remarks.empty() ? "it is empty" : summary.remarks.front();
    return invalid_field("osv", "no record could be read: " + first);
  }
  return summary;
}

}  // namespace muster::feeds
