// SPDX-License-Identifier: Apache-2.0
#include "feeds/kev/kev.h"

#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"

namespace muster::feeds {

namespace {

/// The catalogue had 1,400 entries in 2025 and grows by some 200 a year.
constexpr std::size_t entries_max = 100'000;
constexpr std::size_t text_bytes_max = 20'000;

std::string required_text(Fields& fields, std::string_view name, std::size_t bytes_max) {
  const auto text = fields.optional_multiline(name, bytes_max);
  if (!text && !fields.has(name)) {
    static_cast<void>(fields.text(name, bytes_max));  // says that it is required
  }
  return std::string(text.value_or(""));
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  return parse_int(text.substr(0, 4)) && parse_int(text.substr(5, 2)) &&
         parse_int(text.substr(8, 2));
}

model::KevEntry read_entry(Fields& fields) {
  model::KevEntry entry;
  entry.cve = fields.text("cveID", limits::name_bytes);
  entry.vendor_project = required_text(fields, "vendorProject", text_bytes_max);
  entry.product = required_text(fields, "product", text_bytes_max);
  entry.name = required_text(fields, "vulnerabilityName", text_bytes_max);
  entry.date_added = fields.text("dateAdded", limits::name_bytes);
  entry.due_date = fields.text("dueDate", limits::name_bytes);
  entry.required_action = required_text(fields, "requiredAction", text_bytes_max);
  const auto campaign = fields.optional_text("knownRansomwareCampaignUse", limits::name_bytes);
  entry.ransomware = equal_folded(campaign.value_or(""), "known");
  if (!fields.failed() && !is_date(entry.date_added)) fields.fail("dateAdded", "is no date");
  if (!fields.failed() && !is_date(entry.due_date)) fields.fail("dueDate", "is no date");
  if (!fields.failed() && !entry.cve.starts_with("CVE-")) fields.fail("cveID", "is no CVE id");
  return entry;
}

}  // namespace

Result<KevCatalogue> parse_kev(std::string_view text) {
  JsonDocument document;
  Fields fields(TRY(document.parse(text)));
  KevCatalogue catalogue;
  catalogue.catalog_version = fields.text("catalogVersion", limits::name_bytes);
  catalogue.date_released = fields.text("dateReleased", limits::name_bytes);
  const auto count = fields.optional_integer("count", 0, entries_max);
  const auto entries = fields.array("vulnerabilities", entries_max);
  TRY(fields.finish());
  Result<void> outcome;
  entries->for_each([&](const Json& element) {
    if (!outcome.ok()) return;
    Fields entry(element, "vulnerabilities[" + std::to_string(catalogue.entries.size()) + "]");
    catalogue.entries.push_back(read_entry(entry));
    outcome = entry.finish();
  });
  TRY(std::move(outcome));
  if (count && static_cast<std::size_t>(*count) != catalogue.entries.size()) {
    return invalid_field("count", "says " + std::to_string(*count) + ", but there are " +
                                      std::to_string(catalogue.entries.size()) + " entries");
  }
  return catalogue;
}

}  // namespace muster::feeds
