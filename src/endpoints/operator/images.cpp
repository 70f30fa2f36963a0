// SPDX-License-Identifier: Apache-2.0
// Container images and what is vulnerable in them.
#include "fleet/images.h"
#include "base/text.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "endpoints/reach.h"
#include "fleet/hosts.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

namespace {

void write_known(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

/// Leaves the object open.
void begin_image(JsonWriter& json, const store::ImageView& view) {
  json.begin_object().member("id", view.image.id).member("org_id", view.image.org);
  write_known(json, "digest", view.image.digest);
  json.member("references", view.references)
      .member("kind", view.image.kind)
      .member("os", view.image.os)
      .member("arch", view.image.arch)
      .member("hosts", view.hosts)
      .member("retired", view.hosts == 0)
      .key("findings")
      .begin_object();
  for (std::size_t severity = view.findings.size(); severity-- > 0;) {
    json.member(model::severity_name(static_cast<model::Severity>(severity)),
                view.findings.at(severity));
  }
  json.end_object().member("kev", view.known_exploited).key("packages");
  // What was never listed is not known to have none.
  if (view.image.package_set) {
    json.begin_object()
        .member("matched", view.image.package_count)
        .member("unidentified", view.image.unidentified_count)
        .member("listed_at", view.image.packages_at)
        .end_object();
  } else {
    json.null();
  }
  json.member("first_seen", view.image.first_seen).member("scanned_at", view.image.scanned_at);
}

std::string encode_listed(const store::ImageView& view) {
  JsonWriter json;
  begin_image(json, view);
  json.end_object();
  return json.take();
}

std::string encode_whole(const fleet::ImageDetail& detail) {
  JsonWriter json;
  begin_image(json, detail.view);
  json.member("repo_digests", detail.view.image.repo_digests);
  json.key("running_on").begin_array();
  for (const store::ImageHostView& host : detail.hosts) {
    json.begin_object()
        .member("asset_id", host.row.host)
        .member("hostname", host.hostname)
        .member("reference", host.row.reference)
        .member("given", host.row.given)
        .member("first_seen", host.row.first_seen)
        .member("last_seen", host.row.last_seen)
        .member("retired_at", host.row.retired_at)
        .end_object();
  }
  json.end_array().end_object();
  return json.take();
}

std::string encode_finding(const fleet::ImageFindingView& view) {
  const store::ImageFinding& finding = view.stored.finding;
  JsonDocument document;
  const Result<Json> details = document.parse(finding.details);
  CHECK(details.ok());
  const auto text = [&](std::string_view name) {
    const auto value = details->find(name);
    return value ? value->string().value_or("") : std::string_view();
  };
  const auto places = details->find("places");
  JsonWriter json;
  json.begin_object()
      .member("id", finding.id)
      .member("org_id", finding.org)
      .member("image_id", finding.image)
      .member("cve", finding.cve)
      .member("advisory", finding.advisory_id)
      .member("type", finding.type)
      .member("package", finding.package)
      .member("version", finding.version);
  write_known(json, "fixed_version", finding.fixed_version);
  json.member("fix_status", model::fix_status_name(finding.fix_status))
      .member("severity", model::severity_name(finding.severity))
      .member("kev", view.kev.has_value());
  write_known(json, "kev_due_date", view.kev ? view.kev->due_date : "");
  write_epss(json, view.stored.epss);
  json.member("status", model::finding_status_name(finding.status))
      .member("opened_at", finding.opened_at)
      .member("resolved_at", finding.resolved_at)
      .member("resolution", finding.resolution)
      .member("title", text("title"))
      .member("url", text("url"))
      .member("source", text("source"))
      .key("places")
      .raw(places ? places->serialise() : "[]")
      .key("found_by")
      .begin_array();
  if (finding.reported) json.value("scanner");
  if (finding.matches != "[]" && finding.status != model::FindingStatus::resolved)
    json.value("feeds");
  json.end_array().key("matches").raw(finding.matches).end_object();
  return json.take();
}

}  // namespace

Result<Reply> list_images(App& app, const Request& request) {
  const int count = TRY(page_limit(request));
  store::ImageFilter filter;
  filter.org = TRY(org_param(app, request));
  filter.cve = http::query_param(request.query, "cve");
  filter.retired = TRY(flag_param(request, "retired"));
  if (const auto host = http::query_param(request.query, "host")) {
    filter.host = TRY(host_of(app, request, *host)).id;
  }
  const auto page = TRY(fleet::list_image_page(app.store, filter, page_cursor(request), count));
  std::vector<std::string> items;
  items.reserve(page.images.size());
  for (const store::ImageView& view : page.images) items.push_back(encode_listed(view));
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> show_image(App& app, const Request& request) {
  const ImageId id{TRY(number_param(request.params[0], "image"))};
  return Reply(http::json_response(200, encode_whole(TRY(fleet::show_image(app.store, id)))));
}

Result<Reply> list_image_findings(App& app, const Request& request) {
  const ImageId id{TRY(number_param(request.params[0], "image"))};
  const int count = TRY(page_limit(request));
  const bool resolved = TRY(flag_param(request, "resolved"));
  const auto page = TRY(fleet::list_image_finding_page(app.store, app.catalogue, id, !resolved,
                                                       page_cursor(request), count));
  std::vector<std::string> items;
  items.reserve(page.findings.size());
  for (const fleet::ImageFindingView& view : page.findings) items.push_back(encode_finding(view));
  return Reply(page_response(items, page.next_cursor, page.total));
}

}  // namespace muster::endpoints
