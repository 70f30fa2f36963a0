// SPDX-License-Identifier: Apache-2.0
#include "model/advisory.h"

#include <charconv>
#include <cmath>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"

namespace muster::model {

namespace {

constexpr std::string_view severity_names[] = {"unknown", "negligible", "low",
                                               "medium",  "high",       "critical"};
constexpr std::string_view status_names[] = {"affected", "not_affected", "undetermined"};

/// More than any feed has for one package: the kernel's widest CVE lists about sixty.
constexpr std::size_t ranges_max = 2000;
constexpr std::size_t aliases_max = 1000;
constexpr std::size_t text_bytes_max = 4096;

/// Stored rows are read one at a time, so one document a thread serves them all.
JsonDocument& row_document() {
  thread_local JsonDocument document;
  return document;
}

void member_unless_empty(JsonWriter& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.member(name, text);
}

void member_unless_empty(JsonWriter& json, std::string_view name,
                         const std::vector<std::string>& texts) {
  if (!texts.empty()) json.member(name, texts);
}

std::string text_or_empty(Fields& fields, std::string_view name) {
  return std::string(fields.optional_multiline(name, text_bytes_max).value_or(""));
}

std::vector<VersionRange> read_ranges(Fields& fields) {
  std::vector<VersionRange> ranges;
  const auto found = fields.optional_array("ranges", ranges_max);
  if (!found) return ranges;
  found->for_each([&](const Json& element) {
    const std::string at = "ranges[" + std::to_string(ranges.size()) + "]";
    Fields range(element, fields.path(at));
    ranges.push_back(read_range(range));
    if (!range.finish().ok()) fields.fail(at, "is malformed");
  });
  return ranges;
}

}  // namespace

std::string_view severity_name(Severity severity) {
  return severity_names[static_cast<std::size_t>(severity)];
}

std::optional<Severity> parse_severity(std::string_view text) {
  for (std::size_t i = 0; i < std::size(severity_names); ++i) {
    if (equal_folded(text, severity_names[i])) return static_cast<Severity>(i);
  }
  return std::nullopt;
}

bool is_cve_id(std::string_view id) {
  if (!id.starts_with("CVE-") || id.size() < 13 || id[8] != '-') return false;
  return id.substr(4, 4).find_first_not_of("0123456789") == std::string_view::npos &&
         id.substr(9).find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view advisory_status_name(Advisory::Status status) {
  return status_names[static_cast<std::size_t>(status)];
}

std::optional<std::string_view> Advisory::cve() const {
  if (is_cve_id(id)) return id;
  for (const std::string& alias : aliases) {
    if (is_cve_id(alias)) return alias;
  }
  return std::nullopt;
}

std::string encode_advisory(const Advisory& advisory) {
  JsonWriter json;
  json.begin_object().member("feed", advisory.feed).member("id", advisory.id);
  member_unless_empty(json, "aliases", advisory.aliases);
  member_unless_empty(json, "flaws", advisory.flaws);
  member_unless_empty(json, "ecosystem", ecosystem_name(advisory.ecosystem));
  member_unless_empty(json, "distro", advisory.distro);
  member_unless_empty(json, "package", advisory.package);
  json.member("status", advisory_status_name(advisory.status));
  if (!advisory.ranges.empty()) {
    json.key("ranges").begin_array();
    for (const VersionRange& range : advisory.ranges) {
      json.begin_object();
      write_range(json, range);
      json.end_object();
    }
    json.end_array();
  }
  if (!advisory.configurations.empty()) {
    json.key("configurations");
    write_cpe_applicability(json, advisory.configurations);
  }
  json.member("severity", severity_name(advisory.severity));
  if (advisory.score_tenths) json.member("score_tenths", *advisory.score_tenths);
  if (advisory.disputed) json.member("disputed", true);
  member_unless_empty(json, "urgency", advisory.urgency);
  member_unless_empty(json, "summary", advisory.summary);
  json.end_object();
  return json.take();
}

Result<Advisory> decode_advisory(std::string_view text) {
  Fields fields(TRY(row_document().parse(text)));
  Advisory advisory;
  advisory.feed = fields.text("feed", text_bytes_max);
  advisory.id = fields.text("id", text_bytes_max);
  advisory.aliases = fields.optional_texts("aliases", aliases_max, text_bytes_max);
  advisory.flaws = fields.optional_texts("flaws", aliases_max, text_bytes_max);
  const std::string ecosystem = text_or_empty(fields, "ecosystem");
  advisory.ecosystem = parse_ecosystem(ecosystem);
  if (advisory.ecosystem == Ecosystem::unknown && !ecosystem.empty()) {
    fields.fail("ecosystem", "is no known ecosystem");
  }
  advisory.distro = text_or_empty(fields, "distro");
  advisory.package = text_or_empty(fields, "package");
  const std::string_view status = fields.text("status", text_bytes_max);
  std::size_t known = 0;
  while (known < std::size(status_names) && status_names[known] != status) ++known;
  if (known == std::size(status_names)) fields.fail("status", "is no known status");
  advisory.ranges = read_ranges(fields);
  advisory.configurations = read_cpe_applicability(fields, "configurations");
  const auto severity = parse_severity(fields.text("severity", text_bytes_max));
  if (!severity) fields.fail("severity", "is no known severity");
  if (const auto score = fields.optional_integer("score_tenths", 0, 100)) {
    advisory.score_tenths = static_cast<std::uint8_t>(*score);
  }
  advisory.disputed = fields.optional_boolean("disputed").value_or(false);
  advisory.urgency = text_or_empty(fields, "urgency");
  advisory.summary = text_or_empty(fields, "summary");
  TRY(fields.finish());
  advisory.status = static_cast<Advisory::Status>(known);
  advisory.severity = *severity;
  return advisory;
}

std::optional<std::int32_t> parse_epss_share(std::string_view text) {
  double share = -1.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(share >= 0.0 && share <= 1.0)) return std::nullopt;
  return static_cast<std::int32_t>(std::lround(share * EpssScore::whole));
}

std::string encode_kev_entry(const KevEntry& entry) {
  JsonWriter json;
  json.begin_object()
      .member("cve", entry.cve)
      .member("vendor_project", entry.vendor_project)
      .member("product", entry.product)
      .member("name", entry.name)
      .member("date_added", entry.date_added)
      .member("due_date", entry.due_date)
      .member("required_action", entry.required_action)
      .member("ransomware", entry.ransomware)
      .end_object();
  return json.take();
}

Result<KevEntry> decode_kev_entry(std::string_view text) {
  Fields fields(TRY(row_document().parse(text)));
  KevEntry entry;
  entry.cve = fields.text("cve", limits::name_bytes);
  entry.vendor_project = text_or_empty(fields, "vendor_project");
  entry.product = text_or_empty(fields, "product");
  entry.name = text_or_empty(fields, "name");
  entry.date_added = text_or_empty(fields, "date_added");
  entry.due_date = text_or_empty(fields, "due_date");
  entry.required_action = text_or_empty(fields, "required_action");
  entry.ransomware = fields.optional_boolean("ransomware").value_or(false);
  TRY(fields.finish());
  return entry;
}

}  // namespace muster::model
