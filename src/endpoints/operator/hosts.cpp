// SPDX-License-Identifier: Apache-2.0
// Hosts and their software.
#include "fleet/hosts.h"
#include "base/text.h"
#include "endpoints/decode.h"
#include "endpoints/inventory/parts.h"
#include "endpoints/operator/operator.h"
#include "endpoints/reach.h"
#include "fleet/host_removal.h"
#include "fleet/saved_views.h"
#include "model/host_query.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

namespace {

void write_host(JsonWriter& json, const fleet::HostView& view) {
  const model::Host& host = view.host;
  json.member("id", host.id)
      .member("org_id", host.org)
      .member("hostname", host.hostname)
      .member("os", host.os_name)
      .member("os_version", host.os_version)
      .member("os_kernel", host.os_kernel)
      .member("arch", host.arch)
      .member("distro", host.distro)
      .member("ip_address", host.ip_address)
      .member("tags", host.tags);
  // The live agent: the one that enrolled last.
  json.key("agent_id");
  if (view.agents.empty()) {
    json.null();
  } else {
    json.value(view.agents.back().id);
  }
  json.member("presence", model::presence_name(view.presence))
      .member("first_seen", host.first_seen)
      .member("last_seen", view.last_seen)
      .member("last_report_at", host.last_report_at)
      .member("packages", host.package_count)
      .member("held_removals", host.held_packages)
      .member("findings", view.findings.open)
      .member("findings_accepted", view.findings.accepted)
      .key("os_support")
      .begin_object()
      .member("state", model::os_support_name(view.os_support.state))
      .key("until");
  if (view.os_support.until.empty()) {
    json.null();
  } else {
    json.value(view.os_support.until);
  }
  json.end_object();
}

enum class Reasons { left_out, counted };

void write_coverage(JsonWriter& json, const fleet::Coverage& coverage, Reasons reasons) {
  json.key("coverage")
      .begin_object()
      .member("state", fleet::coverage_state_name(coverage.state))
      .member("packages", coverage.packages)
      .member("assessed", coverage.assessed())
      .member("vulnerable", coverage.vulnerable)
      .member("not_assessed", coverage.not_assessed)
      .key("share");
  if (coverage.packages == 0) {
    json.null();
  } else {
    json.value(static_cast<double>(coverage.assessed()) / static_cast<double>(coverage.packages));
  }
  if (reasons == Reasons::counted) {
    json.key("reasons").begin_object();
    for (std::size_t i = 0; i < coverage.reasons.size(); ++i) {
      if (coverage.reasons.at(i) == 0) continue;
      json.member(vuln::reason_name(static_cast<vuln::Reason>(i)), coverage.reasons.at(i));
    }
    json.end_object();
  }
  json.end_object();
}

void write_package(JsonWriter& json, const fleet::HostPackageView& software) {
  const model::Package& package = software.package;
  const std::string_view ecosystem = model::ecosystem_name(package.ecosystem);
  json.begin_object()
      .member("name", package.name)
      .member("version", package.version)
      .member("vendor", package.vendor)
      .member("ecosystem", ecosystem.empty() ? "unknown" : ecosystem)
      .member("scheme", model::ecosystem_scheme(package.ecosystem))
      .member("cpe", software.cpe)
      .member("distro", package.distro)
      .member("source_name", package.source_name)
      .member("source_version", package.source_version)
      .member("arch", package.arch)
      .key("origin");
  if (software.origin == vuln::Origin::elsewhere) {
    json.null();
  } else {
    json.value(vuln::origin_name(software.origin));
  }
  json.key("assessment")
      .begin_object()
      .member("state", vuln::state_name(vuln::state_of(software.reason)))
      .member("reason", vuln::reason_name(software.reason))
      .end_object()
      .end_object();
}

void write_lockfile(JsonWriter& json, const store::HostLockfile& lockfile) {
  json.begin_object()
      .member("path", lockfile.path)
      .member("packages", lockfile.package_count)
      .member("direct", lockfile.direct)
      .member("vulnerable", lockfile.vulnerable)
      .member("vulnerabilities", lockfile.vulnerabilities)
      .member("reported_at", lockfile.reported_at)
      .end_object();
}

/// What sites report beside the host's agent.
void write_source(JsonWriter& json, const store::ListedSource& listed) {
  const store::HostSource& source = listed.source;
  json.begin_object()
      .member("key_id", source.key)
      .member("key_name", listed.key_name)
      .member("hostname", source.hostname)
      .member("packages", source.package_count)
      .member("matched", source.matched)
      .member("vulnerabilities", source.vulnerabilities)
      .member("reported_at", source.reported_at)
      .end_object();
}

void write_runtime(JsonWriter& json, const std::optional<store::HostRuntimeRow>& runtime) {
  json.key("runtime");
  if (!runtime) {
    json.null();
    return;
  }
  json.begin_object()
      .member("reported_at", runtime->reported_at)
      .key("listening")
      .raw(runtime->listening)
      .key("services")
      .raw(runtime->services)
      .end_object();
}

/// What `?query=` and `?view=` ask for, and the older filters with them; every host without one.
Result<fleet::HostQuestion> question_of(App& app, const Request& request,
                                        const store::HostFilter& filter) {
  const auto text = http::query_param(request.query, "query");
  const auto view = http::query_param(request.query, "view");
  fleet::HostQuestion question =
      TRY(fleet::read_host_question(app.store, filter.org, text.value_or(""), view));
  model::HostQuery& query = question.query;
  if (query == model::HostQuery{}) return question;
  if (!filter.hostname.empty()) {
    model::HostTerm term;
    term.text.pieces = {"", fold_case(filter.hostname), ""};
    query = model::both(std::move(query), model::host_query(std::move(term)));
  }
  if (!filter.tag.empty()) {
    model::HostTerm term;
    term.field = model::HostField::tag;
    term.text.pieces = {fold_case(filter.tag)};
    query = model::both(std::move(query), model::host_query(std::move(term)));
  }
  return question;
}

}  // namespace

Result<Reply> list_hosts(App& app, const Request& request) {
  store::HostFilter filter;
  filter.org = TRY(org_param(app, request));
  filter.hostname = http::query_param(request.query, "hostname").value_or("");
  filter.tag = http::query_param(request.query, "tag").value_or("");
  const int limit = TRY(page_limit(request));
  const fleet::HostQuestion question = TRY(question_of(app, request, filter));
  filter.org = question.org;
  const fleet::HostPage page =
      TRY(question.query == model::HostQuery{}
              ? fleet::list_host_page(app.store, app.presence, app.config, filter,
                                      page_cursor(request), limit, request.now)
              : fleet::list_matching_hosts(app.store, app.presence, app.config, question.query,
                                           filter.org, page_cursor(request), limit, request.now));
  std::vector<std::string> items;
  for (const fleet::HostView& view : page.hosts) {
    JsonWriter json;
    json.begin_object();
    write_host(json, view);
    write_coverage(json, view.coverage, Reasons::left_out);
    json.end_object();
    items.push_back(json.take());
  }
  return Reply(page_response(items, page.next_cursor, page.total, app, request.now));
}

Result<Reply> show_host(App& app, const Request& request) {
  const auto name = http::decode_component(request.params[0]);
  const fleet::HostRef host = TRY(host_of(app, request, name.value_or("")));
  const fleet::HostView view =
      TRY(fleet::show_host(app.store, app.presence, app.config, app.catalogue,
                           std::to_string(host.id.value), request.now));
  JsonWriter json;
  json.begin_object();
  write_host(json, view);
  write_coverage(json, view.coverage, Reasons::counted);
  write_feeds(json, app, request.now);
  json.key("software").begin_array();
  for (const fleet::HostPackageView& software : view.software) write_package(json, software);
  json.end_array().key("sources").begin_array();
  for (const store::ListedSource& source : view.sources) write_source(json, source);
  json.end_array().key("lockfiles").begin_array();
  for (const store::HostLockfile& lockfile : view.lockfiles) write_lockfile(json, lockfile);
  json.end_array();
  write_runtime(json, view.runtime);
  json.end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> delete_host(App& app, const Request& request) {
  const auto name = http::decode_component(request.params[0]);
  const fleet::HostRef host = TRY(host_of(app, request, name.value_or("")));
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), host,
       now = request.now](store::Tx& tx) -> Result<http::Response> {
        TRY(fleet::delete_host(tx, inventory_of(app), app.credentials, actor, host.org, host.id,
                               now));
        JsonWriter json;
        json.begin_object().member("id", host.id).member("status", "deleted").end_object();
        return http::json_response(200, json.take());
      });
}

}  // namespace muster::endpoints
