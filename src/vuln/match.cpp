// SPDX-License-Identifier: Apache-2.0
#include "vuln/match.h"

#include <algorithm>
#include <span>
#include <tuple>
#include <unordered_map>

#include "base/check.h"
#include "base/json_write.h"
#include "version/scheme.h"
#include "vuln/cpe_verdict.h"
#include "vuln/identify.h"
#include "vuln/origin.h"
#include "vuln/rpm_builds.h"
#include "vuln/source_package.h"

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
  std::string package;
  std::string_view installed;
};

constexpr std::string_view unstable = "debian:sid";

/// Debian's names for packages of translations and documentation alone, split off a source.
bool has_no_code(const Package& package) {
  static constexpr std::string_view tails[] = {"-l10n", "-locales", "-doc"};
  return package.ecosystem == Ecosystem::deb &&
         std::any_of(std::begin(tails), std::end(tails), [&](std::string_view tail) {
           return std::string_view(package.name).ends_with(tail);
         });
}

/// The order of an installed version and an end of a range.
std::weak_ordering compare_versions(const Subject& subject, std::string_view installed,
                                    std::string_view end) {
  if (subject.ecosystem == Ecosystem::rpm) return compare_rpm_builds(installed, end);
  return version::compare_valid(subject.scheme, installed, end);
}

std::weak_ordering compare_installed(const Subject& subject, std::string_view end) {
  return compare_versions(subject, subject.installed, end);
}

/// 2.0.0+cu118 is a build of 2.0.0, which PEP 440 takes it for wherever a last version names no
/// build itself.
std::string_view installed_for_last(const Subject& subject, std::string_view last) {
  const bool any_build =
      subject.scheme == Scheme::pep440 && last.find('+') == std::string_view::npos;
  return subject.installed.substr(0, any_build ? subject.installed.find('+') : std::string::npos);
}

/// The installed version as the range's end was compared with, for others to compare again.
std::string_view installed_as_compared(const Subject& subject, const model::VersionRange& range) {
  if (subject.ecosystem == Ecosystem::rpm && !range.fixed.empty()) {
    return comparable_rpm_build(subject.installed, range.fixed);
  }
  return range.last_affected.empty() ? subject.installed
                                     : installed_for_last(subject, range.last_affected);
}

bool holds(const Index& index, const Index::Range& range, const Subject& subject) {
  const auto order = [&](std::uint32_t end) { return compare_installed(subject, index.text(end)); };
  if (range.introduced != 0 && order(range.introduced) < 0) return false;
  if (range.fixed != 0 && order(range.fixed) >= 0) return false;
  if (range.last_affected == 0) return true;
  const std::string_view last = index.text(range.last_affected);
  return compare_versions(subject, installed_for_last(subject, last), last) <= 0;
}

/// Which fixes of one flaw speak of the stream that an installed build of a module is of: those
/// that share so many parts with it. One of them that it has is enough, for a stream's other builds
/// are fixed in others.
struct Stream {
  std::size_t parts = 0;
  bool fixed = false;
};

Stream nearest_stream(const Index& index, std::span<const Index::Row> rows,
                      const Subject& subject) {
  Stream nearest;
  if (subject.ecosystem != Ecosystem::rpm || !is_modular_build(subject.installed)) return nearest;
  for (const Index::Row& row : rows) {
    for (const Index::Range& range : index.ranges(row)) {
      const std::string_view fixed = index.text(range.fixed);
      if (!is_modular_build(fixed)) continue;
      const std::size_t parts = common_parts(fixed, subject.installed);
      if (parts < nearest.parts) continue;
      if (parts > nearest.parts) nearest = {parts, false};
      nearest.fixed |= compare_installed(subject, fixed) >= 0;
    }
  }
  return nearest;
}

/// Whether a range says something of the installed build, if it is one of a module.
bool is_of_stream(const Index& index, const Index::Range& range, const Subject& subject,
                  const Stream& stream) {
  if (subject.ecosystem != Ecosystem::rpm || range.fixed == 0) return true;
  const std::string_view fixed = index.text(range.fixed);
  if (!may_be_of_stream(fixed, subject.installed)) return false;
  if (!is_modular_build(fixed)) return true;
  return !stream.fixed && common_parts(fixed, subject.installed) == stream.parts;
}

/// Debian fixes a flaw in unstable first, and whatever comes after that fix has it, in whichever
/// release it is installed: a package taken from testing is newer than its release's advisories.
bool has_unstable_fix(const Index& index, const Subject& subject, std::string_view id) {
  if (!subject.distro.starts_with("debian:") || subject.distro == unstable) return false;
  const auto rows = index.find(subject.ecosystem, unstable, subject.package);
  const auto first = std::lower_bound(
      rows.begin(), rows.end(), id,
      [&](const Index::Row& row, std::string_view i) { return index.text(row.id) < i; });
  for (auto row = first; row != rows.end() && index.text(row->id) == id; ++row) {
    if (row->status != Advisory::Status::affected || !row->comparable) continue;
    for (const Index::Range& range : index.ranges(*row)) {
      if (range.fixed != 0 && compare_installed(subject, index.text(range.fixed)) >= 0) return true;
    }
  }
  return false;
}

std::string sentence_of(const Evidence& evidence) {
  const model::VersionRange& range = evidence.range;
  std::string text;
  if (!range.introduced.empty()) text += range.introduced + " <= ";
  const bool open = range.fixed.empty() && range.last_affected.empty();
  if (open && text.empty()) return "no fixed version yet";
  text += evidence.installed;
  if (!range.fixed.empty()) text += " < " + range.fixed;
  if (!range.last_affected.empty()) text += " <= " + range.last_affected;
  if (open) text += ", no fixed version yet";
  return text + " (" + evidence.scheme + ")";
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
  evidence.range = {std::string(index.text(range.introduced)), std::string(index.text(range.fixed)),
                    std::string(index.text(range.last_affected))};
  evidence.installed = installed_as_compared(subject, evidence.range);
  evidence.sentence = sentence_of(evidence);
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

/// Compares with the advisories about one flaw, which have one id.
void assess_flaw(const Index& index, std::span<const Index::Row> rows, const Subject& subject,
                 Verdict& verdict) {
  const bool silenced = std::any_of(rows.begin(), rows.end(), [](const Index::Row& row) {
    return row.status == Advisory::Status::not_affected;
  });
  if (silenced) return;
  const Stream stream = nearest_stream(index, rows, subject);
  for (const Index::Row& row : rows) {
    if (row.status == Advisory::Status::undetermined) {
      ++verdict.undetermined;
      continue;
    }
    if (!row.comparable) {
      ++verdict.incomparable;
      continue;
    }
    const auto ranges = index.ranges(row);
    const auto hit = std::find_if(ranges.begin(), ranges.end(), [&](const Index::Range& range) {
      return is_of_stream(index, range, subject, stream) && holds(index, range, subject);
    });
    // Of several bulletins about one flaw the first tells enough.
    const bool told = !verdict.matches.empty() && verdict.matches.back().id == index.text(row.id) &&
                      verdict.matches.back().feed == index.text(row.feed);
    if (hit == ranges.end() || told) continue;
    if (has_unstable_fix(index, subject, index.text(row.id))) return;
    verdict.matches.push_back(make_match(index, row, *hit, subject));
  }
}

/// Compares with each advisory about the subject; rows of one id stand together.
Verdict assess(const Index& index, const Subject& subject) {
  const auto rows = index.find(subject.ecosystem, subject.distro, subject.package);
  if (rows.empty()) return verdict_of(Reason::no_advisory);
  Verdict verdict;
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first;
    while (last < rows.size() && rows[last].id == rows[first].id) ++last;
    assess_flaw(index, rows.subspan(first, last - first), subject, verdict);
    first = last;
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
  const Subject subject{package.ecosystem,
                        *scheme,
                        {},
                        model::canonical_package_name(package.ecosystem, package.name),
                        package.version};
  // An artifact without its group is any of those that are called so.
  const bool nameless =
      subject.ecosystem == Ecosystem::maven && subject.package.find(':') == std::string::npos;
  if (nameless) return verdict_of(Reason::no_identity);
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

/// Debian's backports are what unstable has, rebuilt for a release: the release's own advisories,
/// about older versions, say nothing of them. "2.0-3~bpo12+1" is 2.0-3.
void take_backport(const Index& index, Subject& subject) {
  const auto mark = subject.installed.find("~bpo");
  const bool backport = mark != std::string_view::npos && subject.distro.starts_with("debian:") &&
                        index.covers(unstable);
  if (!backport) return;
  subject.distro = unstable;
  subject.installed = subject.installed.substr(0, mark);
}

Verdict match_distribution(const Index& index, const Package& package) {
  Subject subject{package.ecosystem, Scheme::deb, model::canonical_distro(package.distro), {}, {}};
  if (!index.covers(subject.distro)) return verdict_of(Reason::distro_not_covered);
  const auto scheme = version::parse_scheme(model::ecosystem_scheme(package.ecosystem));
  if (!scheme) return verdict_of(Reason::scheme_unsupported);
  subject.scheme = *scheme;
  const auto source = find_source_package(index, package, subject.distro);
  if (const Reason* unknown = std::get_if<Reason>(&source)) return verdict_of(*unknown);
  subject.package = std::get<SourcePackage>(source).name;
  subject.installed = std::get<SourcePackage>(source).version;
  if (const auto unknown = check_installed(subject)) return verdict_of(*unknown);
  take_backport(index, subject);
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
