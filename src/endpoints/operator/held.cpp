// SPDX-License-Identifier: Apache-2.0
// Reports that wait for review.
#include "endpoints/decode.h"
#include "endpoints/inventory/parts.h"
#include "endpoints/operator/operator.h"
#include "endpoints/reach.h"
#include "fleet/held_reports.h"
#include "fleet/hosts.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

std::string encode_hold(const fleet::HoldView& view) {
  const store::HeldReport& held = view.listed.held;
  JsonWriter json;
  json.begin_object()
      .member("asset_id", held.host)
      .member("org_id", held.org)
      .member("hostname", view.listed.hostname)
      .member("packages", view.listed.host_packages)
      .member("removals", held.package_count)
      .member("reports", held.reports)
      .member("held_at", held.held_at)
      .member("reported_at", held.reported_at)
      .key("sample")
      .begin_array();
  for (const model::Package& package : view.sample) {
    json.begin_object()
        .member("name", package.name)
        .member("version", package.version)
        .member("vendor", package.vendor)
        .end_object();
  }
  json.end_array().end_object();
  return json.take();
}

using Decide = decltype(fleet::release_held_report);

Result<Reply> decide(App& app, const Request& request, Decide* decide, std::string_view status) {
  const auto name = http::decode_component(request.params[0]);
  const fleet::HostRef host = TRY(host_of(app, request, name.value_or("")));
  return Reply(http::Write([&app, actor = actor_of(request), host, decide, status,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::ReviewOutcome outcome =
        TRY(decide(tx, inventory_of(app), actor, host.org, host.id, now));
    JsonWriter json;
    json.begin_object()
        .member("asset_id", outcome.host)
        .member("status", status)
        .member("packages", outcome.packages)
        .member("findings_resolved", outcome.findings_resolved)
        .end_object();
    return http::json_response(200, json.take());
  }));
}

}  // namespace

Result<Reply> list_held_reports(App& app, const Request& request) {
  const auto org = TRY(org_param(app, request));
  const int limit = TRY(page_limit(request));
  const fleet::HoldPage page =
      TRY(fleet::list_hold_page(app.store, org, page_cursor(request), limit));
  std::vector<std::string> items;
  items.reserve(page.holds.size());
  for (const fleet::HoldView& view : page.holds) items.push_back(encode_hold(view));
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> release_held_report(App& app, const Request& request) {
  return decide(app, request, &fleet::release_held_report, "released");
}

Result<Reply> discard_held_report(App& app, const Request& request) {
  return decide(app, request, &fleet::discard_held_report, "discarded");
}

}  // namespace muster::endpoints
