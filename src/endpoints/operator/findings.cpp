// SPDX-License-Identifier: Apache-2.0
// Findings.
#include "fleet/findings.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "endpoints/reach.h"
#include "fleet/acceptances.h"
#include "fleet/explanation.h"
#include "fleet/finding_groups.h"
#include "fleet/host_search.h"
#include "fleet/hosts.h"
#include "fleet/saved_views.h"
#include "model/os_support.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

enum class Form { listed, whole };

void write_acceptance(JsonWriter& json, const std::optional<model::Acceptance>& acceptance,
                      fleet::OperatorNames& names) {
  json.key("acceptance");
  if (!acceptance) {
    json.null();
    return;
  }
  json.begin_object()
      .member("id", acceptance->id)
      .member("scope", model::acceptance_scope_name(acceptance->scope))
      .member("reason", acceptance->reason);
  write_actor(json, "accepted_by", acceptance->accepted_by, names);
  json.member("accepted_at", acceptance->accepted_at)
      .member("until", acceptance->ends_at)
      .end_object();
}

/// The member that a number of tenths stands for; null without one.
void write_score(JsonWriter& json, const Json& kept) {
  const auto tenths = kept.find("score_tenths");
  json.key("score");
  if (tenths && tenths->integer()) {
    json.value(static_cast<double>(*tenths->integer()) / 10);
  } else {
    json.null();
  }
}

void write_finding(JsonWriter& json, const fleet::FindingView& view, fleet::OperatorNames& names,
                   Form form) {
  const model::Finding& finding = view.stored.finding;
  JsonDocument document;
  const Result<Json> kept = document.parse(finding.evidence);
  CHECK(kept.ok());
  const auto text = [&](std::string_view name) {
    const auto value = kept->find(name);
    return value ? value->string().value_or("") : std::string_view();
  };
  const auto raw = [&](std::string_view name) {
    const auto value = kept->find(name);
    return value ? value->serialise() : std::string("null");
  };
  json.member("id", finding.id)
      .member("org_id", finding.org)
      .member("asset_id", finding.host)
      .member("hostname", view.stored.hostname)
      .member("cve", finding.cve)
      .member("advisory", finding.advisory_id)
      .key("aliases")
      .raw(raw("aliases"))
      .member("feed", finding.feed)
      .member("package", view.stored.package.name)
      .member("version", view.stored.package.version)
      .key("fixed_version");
  if (text("fixed_version").empty()) {
    json.null();
  } else {
    json.value(text("fixed_version"));
  }
  json.member("severity", model::severity_name(finding.severity));
  write_score(json, *kept);
  const auto disputed = kept->find("disputed");
  json.member("disputed", disputed && disputed->boolean().value_or(false))
      .member("kev", view.kev.has_value())
      .key("kev_due_date");
  if (view.kev && !view.kev->due_date.empty()) {
    json.value(view.kev->due_date);
  } else {
    json.null();
  }
  write_epss(json, view.stored.epss);
  json.member("status", model::finding_status_name(finding.status));
  write_acceptance(json, view.stored.acceptance, names);
  json.member("opened_at", finding.opened_at)
      .member("resolved_at", finding.resolved_at)
      .member("resolution", finding.resolution);
  if (form == Form::whole) {
    json.member("urgency", text("urgency"))
        .member("summary", text("summary"))
        .key("evidence")
        .raw(raw("evidence"));
  }
}

void write_step(JsonWriter& json, const vuln::Explanation::Step& step) {
  json.begin_object()
      .member("step", step.name)
      .member("holds", step.holds)
      .member("text", step.text)
      .end_object();
}

void write_explanation(JsonWriter& json, const vuln::Explanation& explanation) {
  json.key("explanation")
      .begin_object()
      .member("holds", explanation.holds)
      .member("state", vuln::state_name(vuln::state_of(explanation.reason)))
      .member("reason", vuln::reason_name(explanation.reason))
      .key("steps")
      .begin_array();
  for (const vuln::Explanation::Step& step : explanation.steps) write_step(json, step);
  json.end_array().key("evidence");
  if (explanation.current) {
    json.raw(vuln::encode_evidence(*explanation.current));
  } else {
    json.null();
  }
  json.end_object();
}

Result<std::vector<model::FindingStatus>> statuses_param(const Request& request) {
  using Status = model::FindingStatus;
  const bool accepted = TRY(flag_param(request, "accepted"));
  const bool all = TRY(flag_param(request, "all"));
  if (accepted && all) return invalid_field("all", "says the opposite of accepted");
  if (all) return std::vector{Status::open, Status::accepted, Status::resolved};
  return std::vector{accepted ? Status::accepted : Status::open};
}

Result<model::Severity> min_severity_param(const Request& request) {
  const auto word = http::query_param(request.query, "min_severity");
  if (!word) return model::Severity::unknown;
  const auto severity = model::parse_severity(*word);
  if (severity) return *severity;
  return invalid_field("min_severity", "must be one of negligible, low, medium, high, critical");
}

/// In EpssScore::whole; 0 when absent.
Result<std::int32_t> min_epss_param(const Request& request) {
  const auto text = http::query_param(request.query, "min_epss");
  if (!text) return 0;
  const auto share = model::parse_epss_share(*text);
  if (share) return *share;
  return invalid_field("min_epss", "must be a number from 0 to 1, such as 0.1");
}

/// The hosts that `?query=` means, and the organisation that it is about; all without one.
Result<std::optional<fleet::MeantHosts>> among_param(App& app, const Request& request,
                                                     std::optional<OrgId>& org) {
  const auto text = http::query_param(request.query, "query");
  if (!text || text->empty()) return std::optional<fleet::MeantHosts>();
  const fleet::HostQuestion question = TRY(fleet::read_host_question(app.store, org, *text));
  org = question.org;
  fleet::MeantHosts hosts = TRY(fleet::list_meant_hosts(app.store, app.presence, app.config,
                                                        question.query, question.org, request.now));
  return std::optional(std::move(hosts));
}

std::string encode_group(const fleet::FindingGroup& group) {
  JsonWriter json;
  json.begin_object().member("key", group.key).member("cve", group.cve);
  json.key("asset_id");
  if (group.host) {
    json.value(*group.host);
  } else {
    json.null();
  }
  json.member("kev", group.known_exploited)
      .member("severity", model::severity_name(group.severity))
      .member("findings", group.findings)
      .member("hosts", group.hosts)
      .member("packages", group.packages)
      .end_object();
  return json.take();
}

Response answer(App& app, const fleet::AcceptanceOutcome& outcome, std::string_view status) {
  const model::Acceptance& acceptance = outcome.acceptance;
  fleet::OperatorNames names(app.store);
  JsonWriter json;
  json.begin_object()
      .member("status", status)
      .member("org_id", acceptance.org)
      .member("package", acceptance.package)
      .member("flaw", acceptance.flaw)
      .member("findings", outcome.findings);
  write_acceptance(json, acceptance, names);
  json.end_object();
  return http::json_response(200, json.take());
}

}  // namespace

Result<Reply> list_findings(App& app, const Request& request) {
  fleet::FindingQuery query;
  query.count = TRY(page_limit(request));
  query.cursor = page_cursor(request);
  query.org = TRY(org_param(app, request));
  query.cve = http::query_param(request.query, "cve");
  query.package = http::query_param(request.query, "package");
  if (const auto host = http::query_param(request.query, "host")) {
    query.host = TRY(host_of(app, request, *host)).id;
  }
  query.known_exploited = TRY(flag_param(request, "kev"));
  query.statuses = TRY(statuses_param(request));
  query.severity_min = TRY(min_severity_param(request));
  query.epss_min = TRY(min_epss_param(request));
  query.include_unknown = TRY(flag_param(request, "include_unknown"));
  query.among = TRY(among_param(app, request, query.org));
  const fleet::FindingPage page = TRY(fleet::list_finding_page(app.store, app.catalogue, query));
  fleet::OperatorNames names(app.store);
  std::vector<std::string> items;
  for (const fleet::FindingView& view : page.findings) {
    JsonWriter json;
    json.begin_object();
    write_finding(json, view, names, Form::listed);
    json.end_object();
    items.push_back(json.take());
  }
  return Reply(
      page_response(items, page.next_cursor, page.total, app, request.now, page.unknown_not_shown));
}

Result<Reply> group_findings(App& app, const Request& request) {
  fleet::GroupQuery query;
  query.count = static_cast<std::size_t>(TRY(page_limit(request)));
  query.org = TRY(org_param(app, request));
  query.known_exploited = TRY(flag_param(request, "kev"));
  query.severity_min = TRY(min_severity_param(request));
  query.epss_min = TRY(min_epss_param(request));
  query.include_unknown = TRY(flag_param(request, "include_unknown"));
  query.among = TRY(among_param(app, request, query.org));
  const std::string by = http::query_param(request.query, "by").value_or("cve");
  if (by == "package") {
    query.by = fleet::GroupBy::package;
  } else if (by == "host") {
    query.by = fleet::GroupBy::host;
  } else if (by != "cve") {
    return invalid_field("by", "must be one of cve, package, host");
  }
  const fleet::FindingGroups groups = fleet::group_findings(app.store, query);
  std::vector<std::string> items;
  for (const fleet::FindingGroup& group : groups.groups) items.push_back(encode_group(group));
  const auto all = static_cast<std::int64_t>(groups.groups_in_all);
  return Reply(
      page_response(items, "", {all, groups.whole}, app, request.now, groups.unknown_not_shown));
}

Result<Reply> show_finding(App& app, const Request& request) {
  const FindingId id{TRY(number_param(request.params[0], "finding"))};
  const fleet::FindingView view = TRY(fleet::show_finding(app.store, app.catalogue, id));
  fleet::OperatorNames names(app.store);
  JsonWriter json;
  json.begin_object();
  write_finding(json, view, names, Form::whole);
  write_feeds(json, app, request.now);
  json.end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> explain_finding(App& app, const Request& request) {
  const FindingId id{TRY(number_param(request.params[0], "finding"))};
  const auto explained = TRY(fleet::explain_finding(app.store, app.catalogue, id));
  fleet::OperatorNames names(app.store);
  JsonWriter json;
  json.begin_object();
  write_finding(json, explained.view, names, Form::whole);
  write_explanation(json, explained.explanation);
  write_feeds(json, app, request.now);
  json.end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> accept_finding(App& app, const Request& request) {
  fleet::AcceptanceOrder order;
  order.finding = FindingId{TRY(number_param(request.params[0], "finding"))};
  Fields fields(TRY(decode_body(request)));
  order.reason = fields.text("reason", limits::detail_bytes);
  if (const auto scope = fields.optional_text("scope", limits::name_bytes)) {
    if (*scope != "host" && *scope != "org") fields.fail("scope", "must be host or org");
    order.everywhere = *scope == "org";
  }
  if (const auto until = fields.optional_text("until", limits::name_bytes)) {
    const auto at = parse_rfc3339(*until);
    order.ends_at = at.ok() ? std::optional(*at) : model::leading_day(*until);
    if (!order.ends_at || (!at.ok() && until->size() != 10)) {
      fields.fail("until", "must be a time, 2026-03-21T14:30:00Z, or a day");
    }
  }
  const auto seconds = fields.optional_integer("for_seconds", 1, limits::acceptance_seconds_max);
  if (seconds && order.ends_at) fields.fail("for_seconds", "says what until says");
  if (seconds) order.ends_at = request.now + std::chrono::seconds(*seconds);
  TRY(fields.finish());
  return Reply(answer(
      app, TRY(fleet::accept_finding(app.store, app.ids, actor_of(request), order, request.now)),
      "accepted"));
}

Result<Reply> reopen_finding(App& app, const Request& request) {
  const FindingId id{TRY(number_param(request.params[0], "finding"))};
  return Reply(answer(
      app, TRY(fleet::reopen_finding(app.store, app.ids, actor_of(request), id, request.now)),
      "open"));
}

}  // namespace muster::endpoints
