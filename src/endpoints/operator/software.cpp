// SPDX-License-Identifier: Apache-2.0
// The distinct software of organisations, and what operators say that it is.
#include "fleet/software.h"

#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

namespace {

std::string encode_software(const fleet::ListedSoftware& view) {
  JsonWriter json;
  json.begin_object()
      .member("id", view.id)
      .member("org_id", view.org)
      .member("name", view.package.name)
      .member("version", view.package.version)
      .member("vendor", view.package.vendor)
      .member("ecosystem", model::ecosystem_name(view.package.ecosystem))
      .member("distro", view.package.distro)
      .member("hosts", view.hosts)
      .member("identity", view.identity)
      .member("method", view.method)
      .member("confidence", view.confidence)
      .member("products", view.products)
      .member("state", view.state)
      .member("reason", view.reason)
      .member("reason_text", view.reason_text)
      .member("findings", view.open_findings)
      .end_object();
  return json.take();
}

/// What the body says that the software is: exactly one of `products`, `skip` and `clear`.
Result<std::optional<model::IdentityOverride>> identity_member(Fields& fields) {
  const auto products =
      fields.optional_texts("products", limits::override_products, limits::cpe_bytes);
  const bool skip = fields.optional_boolean("skip").value_or(false);
  const bool clear = fields.optional_boolean("clear").value_or(false);
  TRY(fields.finish());
  if ((products.empty() ? 0 : 1) + (skip ? 1 : 0) + (clear ? 1 : 0) != 1) {
    return invalid_field("products", "exactly one of products, skip and clear must be given");
  }
  if (clear) return std::optional<model::IdentityOverride>();
  model::IdentityOverride identity;
  identity.skipped = skip;
  for (const std::string& text : products) {
    identity.products.push_back(TRY(fleet::parse_product_name(text)));
  }
  return std::optional(std::move(identity));
}

}  // namespace

Result<Reply> list_software(App& app, const Request& request) {
  fleet::SoftwareQuery query;
  query.count = TRY(page_limit(request));
  query.cursor = page_cursor(request);
  query.org = TRY(org_param(app, request));
  query.name = http::query_param(request.query, "name");
  query.text = http::query_param(request.query, "text");
  if (const auto unmapped = http::query_param(request.query, "unmapped")) {
    if (*unmapped != "true" && *unmapped != "false") {
      return invalid_field("unmapped", "must be true or false");
    }
    query.unmapped = *unmapped == "true";
  }
  const fleet::SoftwarePage page = TRY(fleet::list_software_page(app.store, app.catalogue, query));
  std::vector<std::string> items;
  items.reserve(page.software.size());
  for (const fleet::ListedSoftware& view : page.software) items.push_back(encode_software(view));
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> set_software_identity(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  fleet::IdentityOrder order;
  order.org = TRY(org_member(app, request, fields, body));
  order.name = fields.text("name", limits::name_bytes);
  order.vendor = fields.optional_text("vendor", limits::vendor_bytes).value_or("");
  order.identity = TRY(identity_member(fields));
  // Runs on a worker, so it may wait until the hosts follow.
  const fleet::RematchCount count = TRY(fleet::change_identity(
      app.store, app.ids, app.catalogue, app.packages, actor_of(request), order, request.now));
  JsonWriter json;
  json.begin_object()
      .member("org_id", order.org)
      .member("name", order.name)
      .member("vendor", order.vendor);
  json.key("products").begin_array();
  if (order.identity) {
    for (const model::ProductName& each : order.identity->products) {
      json.value(each.vendor + ":" + each.product);
    }
  }
  json.end_array()
      .member("skipped", order.identity && order.identity->skipped)
      .member("hosts_matched", count.hosts)
      .member("findings_opened", count.opened)
      .member("findings_resolved", count.resolved)
      .end_object();
  return Reply(http::json_response(200, json.take()));
}

}  // namespace muster::endpoints
