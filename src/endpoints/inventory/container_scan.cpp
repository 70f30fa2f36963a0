// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"
#include "base/text.h"
#include "endpoints/app.h"
#include "endpoints/decode.h"
#include "feeds/json_values.h"
#include "feeds/trivy/trivy.h"
#include "fleet/host_directory.h"
#include "fleet/images.h"
#include "fleet/presence.h"
#include "http/response.h"

namespace muster::endpoints {

namespace {

/// What the body says beyond what is stored.
struct Received {
  fleet::ContainerScan scan;
  std::int64_t nameless = 0;     // entries that do not say which image they are of
  std::int64_t not_scanned = 0;  // images without a report that can be read
};

/// How a caller names a host.
struct HostName {
  std::string machine_id;
  std::string hostname;
};

Result<HostId> host_of(App& app, const http::Request& request, const HostName& name) {
  if (request.caller.kind == http::Caller::Kind::agent) return request.caller.host;
  if (name.machine_id.empty() && name.hostname.empty()) {
    return Error{Errc::missing_field, "hostname or agent_id required", "hostname"};
  }
  const auto host = app.directory.find(request.caller.org, name.machine_id, name.hostname);
  if (!host) return Error{Errc::unknown_host, "Asset not found. Send full inventory first."};
  return host->id;
}

/// Under which reference a host has what was scanned: as it was called, else as the image's tags
/// say. What is no image (a folder, a repository) is called by its own name.
std::string reference_of(const model::ImageScan& scan) {
  const bool image = scan.kind.empty() || scan.kind == "container_image";
  if (!image) return std::string(cut_utf8(scan.name, limits::image_reference_bytes));
  const auto named = model::parse_image_reference(scan.name);
  for (const std::string& tag : scan.tags) {
    const auto tagged = model::parse_image_reference(tag);
    if (tagged && (!named || tagged == named)) return tagged->text();
  }
  // An image from a file is called by the file; its tags know better.
  const auto tagged =
      scan.tags.empty() ? std::nullopt : model::parse_image_reference(scan.tags.front());
  const bool by_digest = named && !named->digest.empty();
  if (tagged && !by_digest) return tagged->text();
  return named ? named->text() : "";
}

/// The scans that a report of Trivy's holds; nothing if it is none.
std::vector<model::ImageScan> scans_of(const Json& output) {
  JsonDocument document;
  if (const auto text = output.string()) {
    const Result<Json> inner = document.parse(*text);
    if (!inner.ok() || inner->is_null()) return {};
    auto scans = feeds::read_trivy(*inner);
    return scans.ok() ? std::move(*scans) : std::vector<model::ImageScan>();
  }
  auto scans = feeds::read_trivy(output);
  return scans.ok() ? std::move(*scans) : std::vector<model::ImageScan>();
}

/// One element of the fielded wrapper's list. One that cannot be read costs none of the others.
void take_image(const Json& element, Received& received) {
  const auto text = [&](std::string_view member) {
    const auto value = element.find(member);
    return trim(value ? value->string().value_or("") : "");
  };
  const auto named = model::join_image_reference(text("image_name"), text("image_tag"));
  fleet::ContainerScan::Image image;
  if (named) image.reference = named->text();
  const auto output = element.find("trivy_output");
  auto scans = output && !output->is_null() ? scans_of(*output) : std::vector<model::ImageScan>();
  if (scans.empty()) ++received.not_scanned;
  if (!scans.empty()) {
    image.scan = std::move(scans.front());
    if (image.reference.empty()) image.reference = reference_of(*image.scan);
  }
  received.scan.images.push_back(std::move(image));
}

Result<void> take_images(std::string_view list, Received& received) {
  const auto elements = list.starts_with('[') ? feeds::split_json(list) : std::nullopt;
  if (!elements) return invalid_field("images", "must be an array");
  received.scan.images.reserve(elements->size());
  for (const feeds::JsonPiece& element : *elements) {
    const Json json = TRY(thread_json().parse(element.value));
    if (json.is_object()) {
      take_image(json, received);
    } else {
      ++received.nameless;
    }
  }
  received.scan.complete = elements->size() != limits::fielded_scan_images;
  return {};
}

/// The wrapper of the agents in the field, `images` being its list as it stands. It is parsed image
/// by image: a body has many reports, and all of them at once would take several times its bytes.
Result<HostName> decode_wrapper(const http::Request& request, std::string_view body,
                                std::string_view images, Received& received) {
  std::string envelope(body.substr(0, static_cast<std::size_t>(images.data() - body.data())));
  envelope += "null";
  envelope += body.substr(static_cast<std::size_t>(images.data() - body.data()) + images.size());
  Fields fields(TRY(thread_json().parse(envelope)));
  HostName name;
  name.hostname = fields.optional_text("hostname", limits::hostname_bytes).value_or("");
  name.machine_id = fields.optional_text("agent_id", limits::key_bytes).value_or("");
  const auto org = fields.optional_integer("organization_id", 1, number_id_max);
  TRY(fields.finish());
  if (org && *org != request.caller.org.value) {
    return Error{Errc::organization_forbidden, "The API key does not belong to this organization",
                 "organization_id"};
  }
  if (images != "null") TRY(take_images(images, received));
  return name;
}

/// One report as Trivy writes it; the query says which host it is of.
Result<HostName> decode_raw(const http::Request& request, std::string_view body,
                            Received& received) {
  HostName name;
  name.hostname = http::query_param(request.query, "hostname").value_or("");
  name.machine_id = http::query_param(request.query, "agent_id").value_or("");
  const Json report = TRY(thread_json().parse(body));
  for (model::ImageScan& scan : TRY(feeds::read_trivy(report))) {
    fleet::ContainerScan::Image image;
    image.reference = reference_of(scan);
    image.scan = std::move(scan);
    received.scan.images.push_back(std::move(image));
  }
  return name;
}

Result<HostName> decode_scan(const http::Request& request, std::string_view body,
                             Received& received) {
  const std::string_view trimmed = trim(body);
  if (trimmed.starts_with('{')) {
    const auto members = feeds::split_json(trimmed);
    if (!members) return Error{Errc::invalid_json, "The body is not JSON."};
    for (const feeds::JsonPiece& member : *members) {
      if (member.key == "images") return decode_wrapper(request, body, member.value, received);
    }
  }
  return decode_raw(request, body, received);
}

std::string encode_outcome(const fleet::ContainerScanOutcome& outcome, const Received& received) {
  JsonWriter json;
  json.begin_object()
      .member("status", "success")
      .member("asset_id", received.scan.host)
      .key("summary")
      .begin_object()
      .member("images_processed", outcome.processed)
      .member("images_created", outcome.created)
      .member("images_updated", outcome.updated)
      .member("total_vulnerabilities", outcome.vulnerabilities)
      .member("images_retired", outcome.retired)
      .member("images_skipped", outcome.skipped + received.nameless)
      .member("images_not_scanned", received.not_scanned)
      .end_object()
      .end_object();
  return json.take();
}

}  // namespace

Result<http::Reply> report_container_scan(App& app, const http::Request& request) {
  if (request.caller.kind != http::Caller::Kind::agent) {
    TRY(app.scan_limit.take(static_cast<std::uint64_t>(request.caller.key),
                            app.config.limits_scan_per_minute, request.now));
  }
  std::string storage;
  const std::string_view body = TRY(decode_encoding(request, storage));
  Received received;
  const HostName name = TRY(decode_scan(request, body, received));
  received.scan.org = request.caller.org;
  received.scan.host = TRY(host_of(app, request, name));
  return http::Reply(http::Write([&app, received = std::move(received),
                                  now = request.now](store::Tx& tx) -> Result<http::Response> {
    const auto outcome = fleet::record_container_scan(tx, app.ids, received.scan, now);
    return http::json_response(200, encode_outcome(outcome, received));
  }));
}

}  // namespace muster::endpoints
