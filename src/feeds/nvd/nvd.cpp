// SPDX-License-Identifier: Apache-2.0
#include "feeds/nvd/nvd.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"
#include "feeds/json_values.h"
#include "feeds/nvd/configurations.h"
#include "feeds/plain.h"

namespace muster::feeds {

namespace {

using model::Advisory;
using model::Severity;

constexpr std::size_t summary_bytes = 500;

std::string_view text_of(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->string().value_or("") : std::string_view{};
}

std::optional<Json> array_of(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->is_array() ? member : std::nullopt;
}

std::string_view english_description(const Json& cve) {
  std::string_view english;
  if (const auto descriptions = array_of(cve, "descriptions")) {
    descriptions->for_each([&](const Json& each) {
      if (english.empty() && text_of(each, "lang").starts_with("en")) {
        english = text_of(each, "value");
      }
    });
  }
  return english;
}

/// The thresholds of the CVSS standards, for records that leave the word out.
Severity severity_of_score(double score, bool version_2) {
  if (score <= 0.0) return Severity::negligible;
  if (score < 4.0) return Severity::low;
  if (score < 7.0) return Severity::medium;
  return version_2 || score < 9.0 ? Severity::high : Severity::critical;
}

struct Rating {
  Severity severity = Severity::unknown;
  std::optional<std::uint8_t> score_tenths;
};

std::optional<Rating> rating_of(const Json& metric, bool version_2) {
  const auto cvss = metric.find("cvssData");
  const auto member = cvss ? cvss->find("baseScore") : std::nullopt;
  const auto score = member ? member->number() : std::nullopt;
  if (!score || !(*score >= 0.0 && *score <= 10.0)) return std::nullopt;
  Rating rating;
  rating.score_tenths = static_cast<std::uint8_t>(std::lround(*score * 10.0));
  // Version 2 has the word beside its data, the later ones inside.
  const std::string_view word = text_of(version_2 ? metric : *cvss, "baseSeverity");
  rating.severity = equal_folded(word, "none")
                        ? Severity::negligible
                        : model::parse_severity(word).value_or(Severity::unknown);
  if (rating.severity == Severity::unknown) rating.severity = severity_of_score(*score, version_2);
  return rating;
}

Rating best_rating(const Json& cve) {
  const auto metrics = cve.find("metrics");
  if (!metrics) return {};
  for (const std::string_view version :
       {"cvssMetricV40", "cvssMetricV31", "cvssMetricV30", "cvssMetricV2"}) {
    std::optional<Rating> primary;
    std::optional<Rating> other;
    if (const auto ratings = array_of(*metrics, version)) {
      ratings->for_each([&](const Json& metric) {
        auto& kept = equal_folded(text_of(metric, "type"), "primary") ? primary : other;
        if (!kept) kept = rating_of(metric, version == "cvssMetricV2");
      });
    }
    if (primary) return *primary;
    if (other) return *other;
  }
  return {};
}

bool is_disputed(const Json& cve, std::string_view description) {
  bool disputed = description.find("** DISPUTED **") != std::string_view::npos;
  if (const auto tags = array_of(cve, "cveTags")) {
    tags->for_each([&](const Json& of_source) {
      if (const auto words = array_of(of_source, "tags")) {
        words->for_each([&](const Json& word) { disputed |= word.string() == "disputed"; });
      }
    });
  }
  return disputed;
}

bool is_rejected(const Json& cve, std::string_view description) {
  return equal_folded(text_of(cve, "vulnStatus"), "rejected") ||
         description.starts_with("** REJECT") || description.starts_with("Rejected reason:");
}

class NvdReader {
 public:
  NvdReader(const std::function<void(Advisory&&)>& take, const WantRecord& wants)
      : take_(take), wants_(wants) {}

  /// A page, a wrapped CVE or a bare one.
  void read(const Json& value) {
    if (value.is_array()) return value.for_each([&](const Json& each) { read(each); });
    if (const auto page = array_of(value, "vulnerabilities")) {
      const std::string_view timestamp = text_of(value, "timestamp");
      if (timestamp.size() <= limits::name_bytes && is_plain_text(timestamp)) {
        summary_.released = std::max(summary_.released, std::string(timestamp));
      }
      return page->for_each([&](const Json& each) { read_record(each); });
    }
    read_record(value);
  }

  std::size_t seen() const { return seen_; }
  FeedSummary finish() { return std::move(summary_); }

 private:
  void read_record(const Json& record) {
    const auto wrapped = record.find("cve");
    const Json cve = wrapped.value_or(record);
    const std::string_view id = text_of(cve, "id");
    if (!model::is_cve_id(id))
      return summary_.skip("record " + std::to_string(seen_), "has no CVE id");
    ++seen_;
    if (wants_ && !wants_(id, text_of(cve, "lastModified"))) return;
    const std::string_view description = english_description(cve);
    if (is_rejected(cve, description)) {
      ++summary_.silent;
      return;
    }
    Advisory advisory;
    advisory.feed = "nvd";
    advisory.id = id;
    advisory.configurations =
        read_nvd_configurations(cve, [&](std::string_view path, std::string_view what) {
          summary_.skip(std::string(id) + "." + std::string(path), what);
        });
    if (advisory.configurations.empty()) {
      ++summary_.silent;
      return;
    }
    const Rating rating = best_rating(cve);
    advisory.severity = rating.severity;
    advisory.score_tenths = rating.score_tenths;
    advisory.disputed = is_disputed(cve, description);
    advisory.summary = plain_line(description, summary_bytes);
    ++summary_.records;
    take_(std::move(advisory));
  }

  const std::function<void(Advisory&&)>& take_;
  const WantRecord& wants_;
  FeedSummary summary_;
  std::size_t seen_ = 0;
};

}  // namespace

Result<FeedSummary> parse_nvd(std::string_view text, const std::function<void(Advisory&&)>& take,
                              const WantRecord& wants) {
  NvdReader reader(take, wants);
  JsonDocument document;
  while (const auto value = take_json_value(text)) {
    reader.read(TRY(document.parse(*value)));
  }
  const std::size_t seen = reader.seen();
  FeedSummary summary = reader.finish();
  if (seen == 0) {
    const std::string first = summary.remarks.empty() ? "it is empty" : summary.remarks.front();
    return invalid_field("nvd", "no CVE could be read: " + first);
  }
  return summary;
}

}  // namespace muster::feeds
