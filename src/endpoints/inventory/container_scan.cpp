// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"
#include "base/text.h"
#include "endpoints/app.h"
#include "endpoints/decode.h"
#include "endpoints/inventory/parts.h"
#include "feeds/image_report.h"
#include "feeds/json_members.h"
#include "feeds/json_values.h"
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

Result<HostId> scanned_host(const App& app, const http::Request& request, const HostName& name) {
  const bool by_agent = request.caller.kind == http::Caller::Kind::agent;
  if (!by_agent && name.machine_id.empty() && name.hostname.empty()) {
    return Error{Errc::missing_field, "hostname or agent_id required", "hostname"};
  }
  const auto host = named_host(app, request, name.machine_id, name.hostname);
  if (!host) return unknown_host();
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

/// The scans that a report holds, also one that is text in JSON; nothing if it is none.
std::vector<model::ImageScan> scans_of(std::string_view output) {
  std::string text;
  if (output.starts_with('"')) {
    JsonDocument document;
    const Result<Json> quoted = document.parse(output);
    text = trim(quoted.ok() ? quoted->string().value_or("") : "");
    output = text;
  }
  if (output.empty() || output == "null") return {};
  auto scans = feeds::read_image_report(output);
  return scans.ok() ? std::move(*scans) : std::vector<model::ImageScan>();
}

/// What a host calls an image, its name and tag put together again.
std::string given_of(std::string_view name, std::string_view tag) {
  std::string given(trim(name));
  tag = trim(tag);
  const bool twice = given.ends_with(std::string(":").append(tag));
  if (!tag.empty() && !twice) given.append(":").append(tag);
  const std::string_view cut = cut_utf8(given, limits::image_reference_bytes);
  return is_plain_text(cut) ? std::string(cut) : std::string();
}

/// One element of the fielded wrapper's list. A report in it that cannot be read costs none of the
/// others.
Result<void> take_image(std::string_view element, Received& received) {
  const feeds::OpenObject object = TRY(feeds::OpenObject::open(element));
  const Json head = TRY(object.without({"trivy_output"}, thread_json()));
  const auto named = model::join_image_reference(trim(feeds::text_of(head, "image_name")),
                                                 trim(feeds::text_of(head, "image_tag")));
  fleet::ContainerScan::Image image;
  if (named) image.reference = named->text();
  image.given = given_of(feeds::text_of(head, "image_name"), feeds::text_of(head, "image_tag"));
  auto scans = scans_of(object.member("trivy_output"));
  if (scans.empty()) ++received.not_scanned;
  if (!scans.empty()) {
    image.scan = std::move(scans.front());
    if (image.reference.empty()) image.reference = reference_of(*image.scan);
  }
  received.scan.images.push_back(std::move(image));
  return {};
}

Result<void> take_images(std::string_view list, Received& received) {
  const auto elements = list.starts_with('[') ? feeds::split_json(list) : std::nullopt;
  if (!elements) return invalid_field("images", "must be an array");
  received.scan.images.reserve(elements->size());
  for (const feeds::JsonPiece& element : *elements) {
    if (element.value.starts_with('{')) {
      TRY(take_image(element.value, received));
    } else {
      TRY(thread_json().parse(element.value));
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

/// One report as the scanner writes it; the query says which host it is of.
Result<HostName> decode_raw(const http::Request& request, std::string_view body,
                            Received& received) {
  HostName name;
  name.hostname = http::query_param(request.query, "hostname").value_or("");
  name.machine_id = http::query_param(request.query, "agent_id").value_or("");
  for (model::ImageScan& scan : TRY(feeds::read_image_report(body))) {
    fleet::ContainerScan::Image image;
    image.reference = reference_of(scan);
    image.given = cut_utf8(scan.name, limits::image_reference_bytes);
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

Error too_large() {
  return {Errc::body_too_large, "The report is larger than " +
                                    std::to_string(limits::scan_text_bytes) +
                                    " bytes (limit scan_text_bytes)."};
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
  std::string storage;
  const auto decoded =
      decode_encoding(request, storage, limits::scan_body_bytes, limits::scan_text_bytes);
  if (!decoded.ok() && decoded.error().code == Errc::body_too_large) return too_large();
  const std::string_view body = TRY(decoded);
  Received received;
  const HostName name = TRY(decode_scan(request, body, received));
  received.scan.org = request.caller.org;
  received.scan.host = TRY(scanned_host(app, request, name));
  return http::Reply(http::Write([&app, received = std::move(received),
                                  now = request.now](store::Tx& tx) -> Result<http::Response> {
    const auto knowledge = app.catalogue.current();
    const auto outcome = TRY(
        fleet::record_container_scan(tx, app.ids, *knowledge, app.packages, received.scan, now));
    return http::json_response(200, encode_outcome(outcome, received));
  }));
}

}  // namespace muster::endpoints
