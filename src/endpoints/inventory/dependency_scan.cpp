// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include "base/json_write.h"
#include "base/text.h"
#include "endpoints/decode.h"
#include "endpoints/inventory/parts.h"
#include "feeds/lockfiles/lockfiles.h"
#include "fleet/dependency_scans.h"
#include "fleet/key_uses.h"
#include "fleet/presence.h"
#include "model/purl.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

struct Skipped {
  std::string filename;
  std::string reason;
};

/// What the body says beyond what is stored.
struct Received {
  fleet::DependencyScan scan;
  std::vector<Skipped> skipped;
  std::size_t packages = 0;          // of the files that were read
  std::int64_t entries_skipped = 0;  // of the same files
};

std::string_view text_of(const Json& object, std::string_view member) {
  const auto value = object.find(member);
  return value ? value->string().value_or("") : std::string_view();
}

/// The file's name without its folders, of either system.
std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// Where the file is: agents send its project's folder, or its own path.
std::string path_of(std::string_view project, std::string_view filename) {
  if (project.empty()) return std::string(filename);
  if (base_name(project) == base_name(filename)) return std::string(project);
  const bool closed = project.ends_with('/') || project.ends_with('\\');
  return std::string(project) + (closed ? "" : "/") + std::string(base_name(filename));
}

fleet::DependencyScan::File file_of(std::string path, const feeds::Lockfile& lockfile) {
  fleet::DependencyScan::File file;
  file.path = std::move(path);
  for (const feeds::LockedPackage& package : lockfile.packages) {
    fleet::PackageList::View view;
    view.name = package.name;
    view.version = package.version;
    view.ecosystem = lockfile.ecosystem;
    file.packages.add(view);
    file.direct.push_back(package.direct);
  }
  return file;
}

/// One element of the list. One that cannot be read costs none of the others.
void take_lockfile(const Json& element, std::set<std::string>& paths, Received& received) {
  const std::string_view named = text_of(element, "filename");
  const std::string_view filename = base_name(named);
  const auto skip = [&](std::string_view reason) {
    received.skipped.push_back(
        {std::string(cut_utf8(filename, limits::name_bytes)), std::string(reason)});
  };
  if (!feeds::is_lockfile(filename)) return skip("no lock file that is known");
  std::string path = path_of(text_of(element, "project_path"), named);
  if (path.size() > limits::path_bytes || !is_plain_text(path)) {
    return skip("project_path is too long or has control characters");
  }
  const auto content = element.find("content");
  if (!content || !content->string()) return skip("content must be a string");
  const auto lockfile = feeds::read_lockfile(filename, *content->string());
  if (!lockfile.ok()) return skip(lockfile.error().message);
  if (received.packages + lockfile->packages.size() > limits::scan_packages) {
    return skip("the scan has too many packages");
  }
  if (!paths.insert(path).second) return skip("the same path is in this scan already");
  received.packages += lockfile->packages.size();
  received.entries_skipped += static_cast<std::int64_t>(lockfile->skipped);
  received.scan.files.push_back(file_of(std::move(path), *lockfile));
}

Result<Received> decode_scan(const Json& body, const Request& request) {
  Fields fields(body);
  Received received;
  const auto hostname = fields.optional_text("hostname", limits::hostname_bytes);
  const auto project = fields.optional_text("project_name", limits::hostname_bytes);
  const auto machine_id = fields.optional_text("agent_id", limits::key_bytes);
  const auto org = fields.optional_integer("organization_id", 1, number_id_max);
  const auto lockfiles = fields.array("lockfiles", limits::lockfiles);
  TRY(fields.finish());
  if (org && *org != request.caller.org.value) {
    return Error{Errc::organization_forbidden, "The API key does not belong to this organization",
                 "organization_id"};
  }
  received.scan.org = request.caller.org;
  const bool by_agent = request.caller.kind == http::Caller::Kind::agent;
  if (by_agent) received.scan.host = request.caller.host;
  received.scan.machine_id = machine_id.value_or("");
  received.scan.hostname = project && !project->empty() ? *project : hostname.value_or("");
  if (!by_agent && received.scan.machine_id.empty() && received.scan.hostname.empty()) {
    return Error{Errc::missing_field, "hostname or agent_id required", "hostname"};
  }
  // With as many as agents send, some may have been left out.
  received.scan.complete = lockfiles->size() < limits::lockfiles;
  std::set<std::string> paths;
  lockfiles->for_each([&](const Json& element) { take_lockfile(element, paths, received); });
  // A file that could not be read is not gone.
  received.scan.complete = received.scan.complete && received.skipped.empty();
  return received;
}

void write_vulnerability(JsonWriter& json, const fleet::Verdict::Hit& hit) {
  JsonDocument document;
  const auto evidence = document.parse(hit.evidence);
  const auto said = [&](std::string_view member) {
    return evidence.ok() ? text_of(*evidence, member) : std::string_view();
  };
  json.begin_object().member("id", hit.advisory_id).member("cve_id", hit.cve);
  const auto aliases = evidence.ok() ? evidence->find("aliases") : std::nullopt;
  json.key("aliases").raw(aliases ? aliases->serialise() : "[]");
  json.member("summary", said("summary")).member("severity", model::severity_name(hit.severity));
  json.key("fixed_versions").begin_array();
  if (!said("fixed_version").empty()) json.value(said("fixed_version"));
  json.end_array().member("source", hit.feed);
  if (hit.feed == "osv") {
    json.member("primary_url", "https://osv.dev/vulnerability/" + hit.advisory_id);
  }
  json.end_object();
}

void write_vulnerable(JsonWriter& json, const fleet::DependencyScanOutcome::Vulnerable& found) {
  json.begin_object()
      .member("name", found.package.name)
      .member("version", found.package.version)
      .member("ecosystem", model::ecosystem_name(found.package.ecosystem))
      .member("is_direct", found.direct)
      .member("purl", model::purl_of(found.package))
      .key("vulnerabilities")
      .begin_array();
  for (const fleet::Verdict::Hit& hit : found.hits) write_vulnerability(json, hit);
  json.end_array().end_object();
}

void write_severities(JsonWriter& json, const fleet::DependencyScanOutcome& outcome) {
  std::map<model::Severity, std::int64_t> counts;
  for (const auto& found : outcome.vulnerable) {
    for (const fleet::Verdict::Hit& hit : found.hits) ++counts[hit.severity];
  }
  json.key("severity").begin_object();
  for (const model::Severity severity : {model::Severity::critical, model::Severity::high,
                                         model::Severity::medium, model::Severity::low}) {
    json.member(model::severity_name(severity), counts[severity]);
  }
  json.end_object();
}

std::string encode_outcome(const fleet::DependencyScanOutcome& outcome, const Received& received,
                           std::string_view scan_id) {
  JsonWriter json;
  json.begin_object()
      .member("status", "success")
      .member("scan_id", scan_id)
      .member("asset_id", outcome.host)
      .key("summary")
      .begin_object()
      .member("lockfiles_parsed", outcome.files)
      .member("lockfiles_skipped", received.skipped.size())
      .member("total_dependencies", outcome.packages)
      .member("direct_dependencies", outcome.direct)
      .member("transitive_dependencies", outcome.packages - outcome.direct)
      .member("entries_skipped", received.entries_skipped)
      .member("vulnerable_packages", outcome.vulnerable.size())
      .member("total_vulnerabilities", outcome.vulnerabilities);
  write_severities(json, outcome);
  json.end_object().key("vulnerable").begin_array();
  for (const auto& found : outcome.vulnerable) write_vulnerable(json, found);
  json.end_array().key("skipped").begin_array();
  for (const Skipped& skipped : received.skipped) {
    json.begin_object()
        .member("filename", skipped.filename)
        .member("reason", skipped.reason)
        .end_object();
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace

Result<Reply> report_dependency_scan(App& app, const Request& request) {
  const bool by_agent = request.caller.kind == http::Caller::Kind::agent;
  if (by_agent) app.presence.touch_agent(request.caller.agent, request.now);
  std::string storage;
  const std::string_view text = TRY(decode_encoding(request, storage));
  const Json body = TRY(thread_json().parse(text));
  Received received = TRY(decode_scan(body, request));
  const auto lockfiles = body.find("lockfiles");
  if (lockfiles->size() == 0) {
    return Reply(
        http::json_response(200, R"({"status": "ok", "message": "No lock files were sent."})"));
  }
  return Reply(http::Write([&app, received = std::move(received), caller = request.caller, by_agent,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto outcome =
        TRY(fleet::record_dependency_scan(tx, inventory_of(app), received.scan, now));
    if (!by_agent) {
      fleet::record_key_use(tx, app.key_uses, caller.org, KeyId{caller.key}, outcome.host, now);
    }
    const std::string scan_id =
        std::to_string(outcome.host.value) + "-" + std::to_string(now.unix_ms);
    return http::json_response(200, encode_outcome(outcome, received, scan_id));
  }));
}

}  // namespace muster::endpoints
