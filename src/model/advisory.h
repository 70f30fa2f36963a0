// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/cpe_applicability.h"
#include "model/package.h"
#include "model/version_range.h"

namespace muster::model {

enum class Severity : std::uint8_t { unknown, negligible, low, medium, high, critical };
std::string_view severity_name(Severity severity);
std::optional<Severity> parse_severity(std::string_view text);

/// What one feed says about one package of one ecosystem (and distribution release), or about the
/// products that CPE names: the unit of storage, of matching and of evidence.
struct Advisory {
  /// What the publisher decided. Only `affected` can make a finding; `fixed` and `not_affected`
  /// are kept because they overrule other feeds; `undetermined` is not assessed.
  enum class Status : std::uint8_t { affected, not_affected, undetermined };

  std::string feed;                  // "debian"
  std::string id;                    // "CVE-2023-4863", "DSA-5496-1", "TEMP-0841856-B18BAF"
  std::vector<std::string> aliases;  // other ids of the same flaw
  std::vector<std::string> flaws;    // CVEs that a bulletin is about, each a flaw of its own
  Ecosystem ecosystem = Ecosystem::unknown;
  std::string distro;   // "debian:12"; empty outside distributions
  std::string package;  // source package name in a distribution
  Status status = Status::affected;
  std::vector<VersionRange> ranges;  // any of them
  /// Whom it affects, where CPE names say so and `package` and `ranges` do not.
  CpeApplicability configurations;
  Severity severity = Severity::unknown;
  std::optional<std::uint8_t> score_tenths;  // CVSS base score times ten, of the newest version
  bool disputed = false;                     // somebody with a say denies that it is a flaw
  std::string urgency;  // the publisher's own word ("unimportant", "not yet assigned")
  std::string summary;  // at most 500 bytes of its description

  /// The CVE among id and aliases, if any.
  std::optional<std::string_view> cve() const;

  friend auto operator<=>(const Advisory&, const Advisory&) = default;
};

/// Whether `text` is "CVE-2023-4863": a year, and four digits or more.
bool is_cve_id(std::string_view text);

std::string_view advisory_status_name(Advisory::Status status);

/// The stored form: one JSON object. decode(encode(a)) == a.
std::string encode_advisory(const Advisory& advisory);
Result<Advisory> decode_advisory(std::string_view json);

/// One entry of CISA's Known Exploited Vulnerabilities catalogue. It has no versions: it joins
/// findings by CVE and never makes one.
struct KevEntry {
  std::string cve;
  std::string vendor_project;
  std::string product;
  std::string name;
  std::string date_added;  // "2025-08-25"
  std::string due_date;
  std::string required_action;
  bool ransomware = false;  // knownRansomwareCampaignUse is "Known"
  friend auto operator<=>(const KevEntry&, const KevEntry&) = default;
};

/// How probable it is, by the Exploit Prediction Scoring System, that a flaw is exploited within
/// thirty days. Joins findings by CVE, as KevEntry.
struct EpssScore {
  static constexpr int whole = 100'000;  // as many decimals as the publisher gives

  std::string cve;
  std::int32_t probability = 0;  // of `whole`
  std::int32_t percentile = 0;   // of `whole`: the share of CVEs that score no higher
  friend auto operator<=>(const EpssScore&, const EpssScore&) = default;
};
/// "0.97567" in EpssScore::whole, rounded; nothing for what is no number from 0 to 1.
std::optional<std::int32_t> parse_epss_share(std::string_view text);

std::string encode_kev_entry(const KevEntry& entry);
Result<KevEntry> decode_kev_entry(std::string_view json);

}  // namespace muster::model
