// SPDX-License-Identifier: Apache-2.0
// Findings.
#include "fleet/findings.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/hosts.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

namespace {

enum class Form { listed, whole };

std::string encode_finding(const fleet::FindingView& view, Form form) {
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
  JsonWriter json;
  json.begin_object()
      .member("id", finding.id)
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
  json.member("severity", model::severity_name(finding.severity))
      .member("kev", view.kev.has_value())
      .key("kev_due_date");
  if (view.kev && !view.kev->due_date.empty()) {
    json.value(view.kev->due_date);
  } else {
    json.null();
  }
  write_epss(json, view.stored.epss);
  json.member("status", finding.open ? "open" : "resolved")
      .member("opened_at", finding.opened_at)
      .member("resolved_at", finding.resolved_at)
      .member("resolution", finding.resolution);
  if (form == Form::whole) {
    json.member("urgency", text("urgency"))
        .member("summary", text("summary"))
        .key("evidence")
        .raw(raw("evidence"));
  }
  json.end_object();
  return json.take();
}

}  // namespace

Result<Reply> list_findings(App& app, const Request& request) {
  fleet::FindingQuery query;
  query.count = TRY(page_limit(request));
  query.cursor = page_cursor(request);
  query.org = TRY(org_param(app, request));
  query.cve = http::query_param(request.query, "cve");
  if (const auto host = http::query_param(request.query, "host")) {
    query.host = TRY(fleet::resolve_host(app.store, *host));
  }
  if (const auto kev = http::query_param(request.query, "kev")) {
    if (*kev != "true" && *kev != "false") return invalid_field("kev", "must be true or false");
    query.known_exploited = *kev == "true";
  }
  if (const auto word = http::query_param(request.query, "min_severity")) {
    const auto severity = model::parse_severity(*word);
    if (!severity) {
      return invalid_field("min_severity",
                           "must be one of negligible, low, medium, high, critical");
    }
    query.severity_min = *severity;
  }
  const fleet::FindingPage page = TRY(fleet::list_finding_page(app.store, app.catalogue, query));
  std::vector<std::string> items;
  for (const fleet::FindingView& view : page.findings) {
    items.push_back(encode_finding(view, Form::listed));
  }
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> show_finding(App& app, const Request& request) {
  const FindingId id{TRY(number_param(request.params[0], "finding"))};
  return Reply(http::json_response(
      200, encode_finding(TRY(fleet::show_finding(app.store, app.catalogue, id)), Form::whole)));
}

}  // namespace muster::endpoints
