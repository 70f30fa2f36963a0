// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <istream>
#include <iterator>
#include <map>

#include "base/limits.h"
#include "base/text.h"
#include "fleet/catalogue.h"
#include "main/ctl/data_directory.h"
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"
#include "main/ctl/scan_input.h"
#include "store/sqlite/sqlite_connection.h"
#include "store/store.h"
#include "vuln/identify.h"
#include "vuln/match.h"

namespace muster::ctl {

namespace {

using model::Package;

/// What a scanner said beside it, for files that are of one.
const Columns compared = {
    {"severity", "SEVERITY", &formats::severity},
    {"kev", "EXPLOITED", &formats::exploited},
    {"id", "ADVISORY", &formats::id},
    {"package", "PACKAGE"},
    {"version", "VERSION"},
    {"fixed_version", "FIXED"},
    {"said_by", "SAID BY"},
    {"evidence.sentence", "WHY"},
};

const Columns columns = {
    {"severity", "SEVERITY", &formats::severity},
    {"kev", "EXPLOITED", &formats::exploited},
    {"id", "ADVISORY", &formats::id},
    {"package", "PACKAGE"},
    {"version", "VERSION"},
    {"fixed_version", "FIXED"},
    {"evidence.sentence", "WHY"},
};

/// `said_by`: who says so, for files in which a scanner has its say.
void write_finding(JsonWriter& json, const fleet::Knowledge& knowledge, const Package& package,
                   const vuln::Match& match, std::string_view said_by = {}) {
  const auto or_null = [&](std::string_view name, const std::string& text) {
    json.key(name);
    text.empty() ? json.null() : json.value(text);
  };
  json.begin_object()
      .member("cve", match.cve)
      .member("id", match.id)
      .member("aliases", match.aliases)
      .member("feed", match.feed)
      .member("package", package.name)
      .member("version", package.version);
  or_null("fixed_version", match.evidence.range.fixed);
  json.member("severity", model::severity_name(match.severity)).key("score");
  match.score_tenths ? json.value(*match.score_tenths / 10.0) : json.null();
  json.member("kev", match.cve && knowledge.kev.contains(*match.cve))
      .member("disputed", match.disputed)
      .member("summary", match.summary)
      .key("evidence")
      .raw(vuln::encode_evidence(match.evidence));
  if (!said_by.empty()) json.member("said_by", said_by);
  json.end_object();
}

/// A flaw of a package as a file's scanner named it.
struct Heard {
  const model::ImageVulnerability* said;
  bool matched = false;  // our feeds say so too
};

/// What scanners said, by package: ecosystem and canonical name.
class Hearsay {
 public:
  explicit Hearsay(const ScanInput& input) {
    for (const model::ImageScan& scan : input.images) {
      for (const model::ImageVulnerability& one : scan.vulnerabilities) {
        heard_[name_of(model::ecosystem_of_scanner_type(one.type), one.package)].push_back({&one});
      }
    }
  }

  /// Whether one of them named the same flaw of the package, which then counts as matched.
  bool take(const Package& package, const vuln::Match& match) {
    bool found = false;
    for (Heard& one : heard_[name_of(package.ecosystem, package.name)]) {
      const std::string& id = one.said->id;
      const bool same =
          id == match.id || id == match.cve ||
          std::find(match.aliases.begin(), match.aliases.end(), id) != match.aliases.end();
      if (!same || one.said->status == model::FixStatus::not_affected) continue;
      one.matched = true;
      found = true;
    }
    return found;
  }

  /// Writes what no match was taken for, in the members of a finding.
  void write_rest(JsonWriter& json, const fleet::Knowledge& knowledge) const {
    for (const auto& [name, flaws] : heard_) {
      for (const Heard& one : flaws) {
        if (!one.matched && one.said->status != model::FixStatus::not_affected) {
          write(json, knowledge, *one.said);
        }
      }
    }
  }

 private:
  using Name = std::pair<model::Ecosystem, std::string>;
  static Name name_of(model::Ecosystem ecosystem, const std::string& name) {
    return {ecosystem, model::canonical_package_name(ecosystem, name)};
  }

  static void write(JsonWriter& json, const fleet::Knowledge& knowledge,
                    const model::ImageVulnerability& said) {
    const auto& place = said.places.front();
    json.begin_object()
        .member("cve", said.cve())
        .member("id", said.id)
        .key("aliases")
        .begin_array()
        .end_array()
        .member("feed", std::optional<std::string>())
        .member("package", said.package)
        .member("version", place.version)
        .key("fixed_version");
    place.fixed_version.empty() ? json.null() : json.value(place.fixed_version);
    json.member("severity", model::severity_name(said.severity))
        .member("kev", said.cve() && knowledge.kev.contains(*said.cve()))
        .member("fix_status", model::fix_status_name(said.status))
        .member("summary", said.title)
        .member("said_by", "scanner")
        .end_object();
  }

  std::map<Name, std::vector<Heard>> heard_;
};

vuln::Verdict judge(const fleet::Knowledge& knowledge, const Package& package,
                    const vuln::Surroundings& surroundings) {
  return vuln::settle(*knowledge.index, package, vuln::match(*knowledge.index, package),
                      surroundings);
}

/// What a package alone says of its host: a Windows program is on Windows, and nothing is beside
/// it.
vuln::Surroundings surroundings_of(const fleet::Knowledge& knowledge, const Package& package) {
  const char* system = package.ecosystem == model::Ecosystem::windows ? "Windows"
                       : package.ecosystem == model::Ecosystem::macos ? "macOS"
                                                                      : "";
  return {system, "", {package}, knowledge.index->cpe()};
}

std::string answer_line(const fleet::Knowledge& knowledge, std::string_view line) {
  JsonWriter json;
  json.begin_object().key("findings").begin_array();
  const auto parsed = thread_json().parse(line);
  const Result<Package> package =
      parsed.ok() ? read_scan_package(*parsed) : Result<Package>(parsed.error());
  if (!package.ok()) {
    json.end_array().member("error", package.error().message).end_object();
    return json.take();
  }
  const vuln::Verdict verdict = judge(knowledge, *package, surroundings_of(knowledge, *package));
  for (const vuln::Match& match : verdict.matches) write_finding(json, knowledge, *package, match);
  json.end_array()
      .member("state", vuln::state_name(verdict.state))
      .member("reason", vuln::reason_name(verdict.reason));
  const vuln::Identity identity = vuln::identify(*package, knowledge.index->cpe());
  json.key("cpe");
  identity.cpe.empty() ? json.null() : json.value(identity.cpe);
  json.member("cpe_source", vuln::cpe_source_name(identity.cpe_source)).key("also").begin_array();
  for (const vuln::CpeName& other : identity.others) {
    json.value(std::string(other.vendor).append(":").append(other.product));
  }
  json.end_array().end_object();
  return json.take();
}

/// One answer for each line, in order, also for lines that are no package: answers keep the places
/// of their questions.
Result<void> scan_lines(const Shell& shell, const fleet::Knowledge& knowledge, std::istream& in) {
  std::string line;
  while (std::getline(in, line)) shell.print(answer_line(knowledge, trim(line)) + "\n");
  return {};
}

/// What could not be assessed, by reason.
using Unassessed = std::map<vuln::Reason, std::size_t>;

void print_scan(const Shell& shell, const ScanInput& input, const std::string& findings,
                const Unassessed& unassessed) {
  std::size_t count = 0;
  for (const auto& [reason, packages] : unassessed) count += packages;
  if (shell.json()) {
    JsonWriter json;
    json.begin_object()
        .member("packages", input.packages.size())
        .key("findings")
        .raw(findings)
        .key("not_assessed")
        .begin_array();
    for (const auto& [reason, packages] : unassessed) {
      json.begin_object()
          .member("reason", vuln::reason_name(reason))
          .member("packages", packages)
          .end_object();
    }
    json.end_array().end_object();
    return shell.print_json(json.text());
  }
  print_array(shell, findings, input.judged ? compared : columns, {"finding", "findings"});
  shell.remark(std::to_string(count) + " of " + std::to_string(input.packages.size()) +
               " packages could not be assessed");
  for (const auto& [reason, packages] : unassessed) {
    shell.remark("  " + std::to_string(packages) + ": " + std::string(vuln::reason_text(reason)));
  }
}

Result<void> scan_input(const Shell& shell, const fleet::Knowledge& knowledge,
                        std::string_view text) {
  const ScanInput input = TRY(read_scan_input(text));
  const vuln::Surroundings surroundings(input.os_name, input.os_version, input.packages,
                                        knowledge.index->cpe());
  Unassessed unassessed;
  Hearsay hearsay(input);
  JsonWriter findings;
  findings.begin_array();
  for (const Package& package : input.packages) {
    const vuln::Verdict verdict = judge(knowledge, package, surroundings);
    for (const vuln::Match& match : verdict.matches) {
      const bool both = hearsay.take(package, match);
      write_finding(findings, knowledge, package, match,
                    input.judged ? (both ? "both" : "feeds") : "");
    }
    if (verdict.state == vuln::State::not_assessed) ++unassessed[verdict.reason];
  }
  hearsay.write_rest(findings, knowledge);
  findings.end_array();
  print_scan(shell, input, findings.take(), unassessed);
  return {};
}

Result<void> scan(const Shell& shell, const FlagValues& values) {
  if (values.has("file") == values.has("packages")) {
    return Error{Errc::missing_field, "give a file, or --packages FILE", "file"};
  }
  const std::string directory = values.text("data");
  const auto lock = TRY(lock_data_directory(directory, false));
  store::Store store(std::make_unique<store::SqliteDatabase>(directory));
  fleet::Catalogue catalogue(fleet::index_file_in(directory));
  store.read([&](store::Reader& reader) { catalogue.load(reader); });
  const auto knowledge = catalogue.current();
  if (knowledge->index->size() == 0) {
    return Error{Errc::not_found, directory + ": holds no feed; import one first"};
  }
  if (values.has("packages")) {
    return with_input(shell, values.text("packages"),
                      [&](std::istream& in) { return scan_lines(shell, *knowledge, in); });
  }
  return with_input(shell, values.text("file"), [&](std::istream& in) -> Result<void> {
    const std::string text(std::istreambuf_iterator<char>(in), {});
    auto done = scan_input(shell, *knowledge, text);
    if (done.ok()) return done;
    Error error = std::move(done).error();
    const bool no_json = error.code == Errc::invalid_json;
    error.message = values.text("file") + ": " + (no_json ? "is not valid JSON" : error.message);
    return error;
  });
}

}  // namespace

void add_scan(Grammar& grammar) {
  grammar.root().local(
      {"scan",
       "Match a file against imported feeds without a server: an inventory report, a CycloneDX or "
       "SPDX SBOM, or a report of Trivy, whose own findings stand beside ours; each in JSON",
       "muster scan sbom.json --data var"},
      {{.name = "--data",
        .member = "data",
        .what = "Data directory with the feeds (feeds import --data)",
        .required = true,
        .shown = "DIR"},
       {.name = "--packages",
        .member = "packages",
        .what = "One JSON package a line in (name, version, vendor, cpe, ecosystem, distro), one "
                "JSON line out; - is standard input",
        .shown = "FILE"},
       {"FILE", "file", "The file; - is standard input"}},
      scan);
}

}  // namespace muster::ctl
