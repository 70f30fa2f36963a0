// SPDX-License-Identifier: Apache-2.0
#include "vuln/match.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "base/check.h"
#include "base/json_write.h"
#include "version/scheme.h"
#include "vuln/cpe_verdict.h"
#include "vuln/debian_sources.h"
#include "vuln/identify.h"
#include "vuln/origin.h"

namespace muster::vuln {

namespace {

using model::Advisory;
using model::Ecosystem;
using model::Package;
using version::Scheme;

struct ReasonRow {
  std::string_view name;
  State state;
  std::string_view text;
};

constexpr ReasonRow reasons[] = {
#define REASON(name, state, text) {#name, State::state, text},
#include "vuln/reasons.def"
#undef REASON
};

const ReasonRow& row_of(Reason reason) {
  return reasons[static_cast<std::size_t>(reason)];
}

Verdict verdict_of(Reason reason) {
  Verdict verdict;
  verdict.reason = reason;
  verdict.state = state_of(reason);
  return verdict;
}

/// What an advisory is looked up and compared by.
struct Subject {
  Ecosystem ecosystem;
  Scheme scheme;
  std::string distro;
  std::string_view package;
  std::string_view installed;
};

/// Releases whose binary names debian_sources.def knows.
bool has_source_table(std::string_view distro) {
  static constexpr std::string_view known[] = {"debian:7",  "debian:8",  "debian:9",
                                               "debian:10", "debian:11", "debian:12"};
  return std::find(std::begin(known), std::end(known), distro) != std::end(known);
}

/// "libssl3t64": hardly any library's source package is called like the binary with its number.
bool looks_like_library(std::string_view name) {
  return name.starts_with("lib") && name.find_first_of("0123456789") != std::string_view::npos;
}

/// Without "+b1", which a rebuild adds to the binary's version and the source does not have.
std::string_view without_rebuild(std::string_view version) {
  const auto plus = version.rfind("+b");
  if (plus == std::string_view::npos || plus + 2 == version.size()) return version;
  const bool digits = version.find_first_not_of("0123456789", plus + 2) == std::string_view::npos;
  return digits ? version.substr(0, plus) : version;
}

/// Names what a package of a distribution is compared by: its source package and version; for an
/// rpm the package itself where the distribution's bulletins list what they built.
std::optional<Reason> set_source(Subject& subject, const Index& index, const Package& package) {
  if (package.ecosystem == Ecosystem::rpm &&
      !index.find(subject.ecosystem, subject.distro, package.name).empty()) {
    subject.package = package.name;
    subject.installed = package.version;
    return std::nullopt;
  }
  if (!package.source_name.empty()) {
    subject.package = package.source_name;
    const std::string_view version = package.source_version;
    subject.installed = version.empty() ? without_rebuild(package.version) : version;
    return std::nullopt;
  }
  subject.package = package.name;
  subject.installed = package.source_version.empty() ? std::string_view(package.version)
                                                     : std::string_view(package.source_version);
  if (package.ecosystem != Ecosystem::deb) return std::nullopt;
  // dpkg qualifies a name by its architecture where several are installed: "libc6:amd64".
  subject.package = subject.package.substr(0, subject.package.find(':'));
  subject.installed = without_rebuild(subject.installed);
  if (has_source_table(subject.distro)) {
    if (const auto source = debian_source_of(subject.package)) {
      if (source->empty()) return Reason::source_unknown;
      subject.package = *source;
      return std::nullopt;
    }
  }
  const bool known = !index.find(subject.ecosystem, subject.distro, subject.package).empty();
  if (!known && looks_like_library(subject.package)) return Reason::source_unknown;
  return std::nullopt;
}

/// Builds of a module of an enterprise distribution ("nodejs:18") say so in their release.
bool is_modular(std::string_view version) {
  return version.find(".module") != std::string_view::npos;
}

/// Streams of one module are different software with versions of their own, and bulletins name the
/// stream in prose only: the fix of another one tells nothing. Streams differ in the first number.
bool is_of_other_stream(std::string_view fixed, std::string_view installed) {
  if (!is_modular(fixed) && !is_modular(installed)) return false;
  const auto first_number = [](std::string_view version) {
    version.remove_prefix(version.find(':') + 1);
    return version.substr(0, version.find_first_not_of("0123456789"));
  };
  return is_modular(fixed) != is_modular(installed) ||
         first_number(fixed) != first_number(installed);
}

/// Debian's names for packages of translations and documentation alone, split off a source.
bool has_no_code(const Package& package) {
  static constexpr std::string_view tails[] = {"-l10n", "-locales", "-doc"};
  return package.ecosystem == Ecosystem::deb &&
         std::any_of(std::begin(tails), std::end(tails), [&](std::string_view tail) {
           return std::string_view(package.name).ends_with(tail);
         });
}

bool holds(const Index& index, const Index::Range& range, const Subject& subject) {
  if (subject.ecosystem == Ecosystem::rpm && range.fixed != 0 &&
      is_of_other_stream(index.text(range.fixed), subject.installed)) {
    return false;
  }
  const auto order = [&](std::uint32_t end) {
    return version::compare_valid(subject.scheme, subject.installed, index.text(end));
  };
  if (range.introduced != 0 && order(range.introduced) < 0) return false;
  if (range.fixed != 0 && order(range.fixed) >= 0) return false;
  return range.last_affected == 0 || order(range.last_affected) <= 0;
}

std::string sentence_of(const Subject& subject, const model::VersionRange& range) {
  std::string text;
  if (!range.introduced.empty()) text += range.introduced + " <= ";
  const bool open = range.fixed.empty() && range.last_affected.empty();
  if (open && text.empty()) return "no fixed version yet";
  text += subject.installed;
  if (!range.fixed.empty()) text += " < " + range.fixed;
  if (!range.last_affected.empty()) text += " <= " + range.last_affected;
  if (open) text += ", no fixed version yet";
  return text + " (" + std::string(version::scheme_name(subject.scheme)) + ")";
}

Match make_match(const Index& index, const Index::Row& row, const Index::Range& range,
                 const Subject& subject) {
  Match match;
  match.feed = index.text(row.feed);
  match.id = index.text(row.id);
  match.aliases = index.aliases(row);
  match.severity = row.severity;
  match.urgency = index.text(row.urgency);
  match.summary = index.text(row.summary);
  Advisory names;
  names.id = match.id;
  names.aliases = match.aliases;
  if (const auto cve = names.cve()) match.cve = std::string(*cve);
  Evidence& evidence = match.evidence;
  evidence.feed = match.feed;
  evidence.advisory_id = match.id;
  evidence.package = subject.package;
  evidence.distro = subject.distro;
  evidence.scheme = version::scheme_name(subject.scheme);
  evidence.installed = subject.installed;
  evidence.range = {std::string(index.text(range.introduced)), std::string(index.text(range.fixed)),
                    std::string(index.text(range.last_affected))};
  evidence.sentence = sentence_of(subject, evidence.range);
  return match;
}

/// One flaw, as several databases tell of it.
struct Flaw {
  Match told;         // by the record that knows most; its aliases are all its other names
  std::size_t place;  // its own, or that of the earlier flaw that it turned out to be
};

/// Takes over what another record says of the same flaw. The one that names the CVE knows most; of
/// two, the first.
void merge(Flaw& flaw, Match other) {
  if (!flaw.told.cve && other.cve) std::swap(flaw.told, other);
  other.aliases.push_back(std::move(other.id));
  for (std::string& name : other.aliases) flaw.told.aliases.push_back(std::move(name));
}

/// Several databases write of one flaw under names of their own ("GHSA-…", "PYSEC-…") that are
/// aliases of one another, if only by way of a third: one match for each flaw is left, with all
/// the names. Two CVEs are never one flaw.
void merge_aliases(std::vector<Match>& matches) {
  std::vector<Flaw> flaws;
  std::unordered_map<std::string, std::size_t> named;
  for (Match& match : matches) {
    std::vector<std::string> names = match.aliases;
    names.push_back(match.id);
    std::size_t mine = flaws.size();
    flaws.push_back({std::move(match), mine});
    for (std::string& name : names) {
      std::size_t other = named.try_emplace(std::move(name), mine).first->second;
      while (flaws[other].place != other) other = flaws[other].place;
      if (other == mine) continue;
      const auto& [cve, other_cve] = std::tie(flaws[mine].told.cve, flaws[other].told.cve);
      if (cve && other_cve && *cve != *other_cve) continue;
      if (other > mine) std::swap(other, mine);
      merge(flaws[other], std::move(flaws[mine].told));
      flaws[mine].place = other;
      mine = other;
    }
  }
  matches.clear();
  for (std::size_t place = 0; place < flaws.size(); ++place) {
    if (flaws[place].place != place) continue;
    Match& told = flaws[place].told;
    std::sort(told.aliases.begin(), told.aliases.end());
    told.aliases.erase(std::unique(told.aliases.begin(), told.aliases.end()), told.aliases.end());
    std::erase(told.aliases, told.id);
    matches.push_back(std::move(told));
  }
  std::sort(matches.begin(), matches.end(),
            [](const Match& a, const Match& b) { return a.id < b.id; });
}

/// Compares with each advisory about the subject; rows of one id stand together.
Verdict assess(const Index& index, const Subject& subject) {
  const auto rows = index.find(subject.ecosystem, subject.distro, subject.package);
  if (rows.empty()) return verdict_of(Reason::no_advisory);
  Verdict verdict;
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first;
    bool silenced = false;
    for (; last < rows.size() && rows[last].id == rows[first].id; ++last) {
      silenced |= rows[last].status == Advisory::Status::not_affected;
    }
    for (; first < last; ++first) {
      const Index::Row& row = rows[first];
      if (silenced) continue;
      if (row.status == Advisory::Status::undetermined) {
        ++verdict.undetermined;
      } else if (!row.comparable) {
        ++verdict.incomparable;
      } else {
        const auto ranges = index.ranges(row);
        const auto hit = std::find_if(ranges.begin(), ranges.end(), [&](const Index::Range& range) {
          return holds(index, range, subject);
        });
        // Of several bulletins about one flaw the first tells enough.
        const bool told = !verdict.matches.empty() &&
                          verdict.matches.back().id == index.text(row.id) &&
                          verdict.matches.back().feed == index.text(row.feed);
        if (hit != ranges.end() && !told) {
          verdict.matches.push_back(make_match(index, row, *hit, subject));
        }
      }
    }
  }
  verdict.reason = !verdict.matches.empty()   ? Reason::in_range
                   : verdict.incomparable > 0 ? Reason::advisory_invalid
                   : verdict.undetermined > 0 ? Reason::undetermined
                                              : Reason::outside_ranges;
  verdict.state = state_of(verdict.reason);
  return verdict;
}

/// Once on each match.
void add_origin_caveat(Verdict& verdict) {
  static const std::string caveat =
      "somebody other than the distribution built it: compared by the publisher's versions";
  for (Match& match : verdict.matches) {
    std::vector<std::string>& caveats = match.evidence.caveats;
    if (std::find(caveats.begin(), caveats.end(), caveat) == caveats.end()) {
      caveats.push_back(caveat);
    }
  }
}

/// Installed version that the scheme can read, or why there is none.
std::optional<Reason> check_installed(const Subject& subject) {
  if (subject.installed.empty()) return Reason::version_missing;
  if (!version::validate(subject.scheme, subject.installed).ok()) return Reason::version_invalid;
  return std::nullopt;
}

Verdict match_ecosystem(const Index& index, const Package& package) {
  // Packages of a distribution that nobody named: their advisories differ from release to release,
  // so there is nothing to compare with.
  if (model::is_of_distribution(package.ecosystem)) return verdict_of(Reason::distro_unknown);
  if (!index.covers(package.ecosystem)) return verdict_of(Reason::unsupported_ecosystem);
  const auto scheme = version::parse_scheme(model::ecosystem_scheme(package.ecosystem));
  if (!scheme) return verdict_of(Reason::scheme_unsupported);
  const std::string name = model::canonical_package_name(package.ecosystem, package.name);
  const Subject subject{package.ecosystem, *scheme, {}, name, package.version};
  if (const auto unknown = check_installed(subject)) return verdict_of(*unknown);
  Verdict verdict = assess(index, subject);
  merge_aliases(verdict.matches);
  return verdict;
}

/// A package that another than its distribution built, by the publisher's own versions if its
/// product is known.
Verdict match_third_party(const Index& index, const Package& package) {
  Verdict verdict = match_cpe(index.cpe(), as_program(package));
  if (verdict.reason == Reason::skipped) return verdict;
  if (verdict.state == State::not_assessed && verdict.conditional.empty()) {
    return verdict_of(Reason::third_party_origin);
  }
  add_origin_caveat(verdict);
  return verdict;
}

Verdict match_distribution(const Index& index, const Package& package) {
  Subject subject{package.ecosystem, Scheme::deb, model::canonical_distro(package.distro), {}, {}};
  if (!index.covers(subject.distro)) return verdict_of(Reason::distro_not_covered);
  const auto scheme = version::parse_scheme(model::ecosystem_scheme(package.ecosystem));
  if (!scheme) return verdict_of(Reason::scheme_unsupported);
  subject.scheme = *scheme;
  if (const auto unknown = set_source(subject, index, package)) return verdict_of(*unknown);
  if (const auto unknown = check_installed(subject)) return verdict_of(*unknown);
  Verdict verdict = assess(index, subject);
  const bool part = subject.package != package.name && has_no_code(package);
  return part && !verdict.matches.empty() ? verdict_of(Reason::no_code) : verdict;
}

}  // namespace

std::string_view state_name(State state) {
  static constexpr std::string_view names[] = {"vulnerable", "not_vulnerable", "not_assessed"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view reason_name(Reason reason) {
  return row_of(reason).name;
}

std::string_view reason_text(Reason reason) {
  return row_of(reason).text;
}

State state_of(Reason reason) {
  return row_of(reason).state;
}

Verdict match(const Index& index, const Package& package) {
  switch (identity_kind(package)) {
    case Identity::Kind::distribution:
      return origin_of(package) == Origin::third_party ? match_third_party(index, package)
                                                       : match_distribution(index, package);
    case Identity::Kind::ecosystem:
      return match_ecosystem(index, package);
    case Identity::Kind::cpe:
    case Identity::Kind::none:
      return match_cpe(index.cpe(), package);
  }
  check_failed("a known identity", __FILE__, __LINE__);
}

Verdict settle(const Index& index, const Package& package, Verdict verdict,
               const Surroundings& surroundings) {
  if (verdict.conditional.empty()) return verdict;
  if (origin_of(package) != Origin::third_party) {
    return settle_cpe(index.cpe(), package, std::move(verdict), surroundings);
  }
  Verdict settled = settle_cpe(index.cpe(), as_program(package), std::move(verdict), surroundings);
  add_origin_caveat(settled);
  return settled;
}

std::string encode_evidence(const Evidence& evidence) {
  JsonWriter json;
  json.begin_object()
      .member("feed", evidence.feed)
      .member("advisory", evidence.advisory_id)
      .member("package", evidence.package)
      .member("distro", evidence.distro)
      .member("scheme", evidence.scheme)
      .member("installed", evidence.installed)
      .key("range")
      .begin_object();
  for (const auto& [name, end] : {std::pair{"introduced", &evidence.range.introduced},
                                  std::pair{"fixed", &evidence.range.fixed},
                                  std::pair{"last_affected", &evidence.range.last_affected}}) {
    json.key(name);
    if (end->empty()) {
      json.null();
    } else {
      json.value(*end);
    }
  }
  if (!evidence.range.after.empty()) json.member("after", evidence.range.after);
  json.end_object().member("sentence", evidence.sentence);
  if (!evidence.criteria.empty()) json.member("criteria", evidence.criteria);
  if (!evidence.caveats.empty()) json.member("caveats", evidence.caveats);
  json.end_object();
  return json.take();
}

}  // namespace muster::vuln
