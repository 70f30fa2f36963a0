// SPDX-License-Identifier: Apache-2.0
// What agents may update to, and the file itself.
#include "base/json_write.h"
#include "base/text.h"
#include "endpoints/app.h"
#include "endpoints/download.h"
#include "endpoints/inventory/scripts.h"
#include "fleet/nodes.h"
#include "fleet/releases.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

void write_offer(JsonWriter& json, const fleet::Release& release) {
  json.member("version", release.facts.version)
      .member("sha256", release.facts.sha256.text())
      .member("size", release.facts.size)
      .member("mandatory", release.mandatory)
      .member("signature", to_hex(release.signature))
      .member("manifest", release.manifest)
      .member("manifest_signature", to_hex(release.manifest_signature));
}

/// `os` and `arch` of the query; empty when absent. Fails in the words of the field.
struct Platform {
  std::string os;
  std::string arch;
};
Result<Platform> platform_of(const Request& request) {
  Platform platform{http::query_param(request.query, "os").value_or(""),
                    http::query_param(request.query, "arch").value_or("")};
  if (!platform.os.empty() && platform.os != "linux" && platform.os != "windows" &&
      platform.os != "darwin") {
    return Error{Errc::invalid_field, "Invalid os parameter", "os"};
  }
  if (!platform.arch.empty() && platform.arch != "amd64" && platform.arch != "arm64") {
    return Error{Errc::invalid_field, "Invalid arch parameter", "arch"};
  }
  return platform;
}

Response release_response(const Request& request, fleet::OpenedRelease opened) {
  const model::Manifest& facts = opened.release.facts;
  const std::string filename =
      "muster-agent-" + facts.os + "-" + facts.arch + (facts.os == "windows" ? ".exe" : "");
  Response response =
      download_response(request, std::move(opened.content), facts.sha256.text(), filename);
  response.headers.emplace_back("X-Agent-Version", facts.version);
  return response;
}

/// The facts of the update, with an address when one is given.
Reply offer(App& app, const Request& request, bool with_address) {
  const auto release =
      fleet::offer_update(app.store, app.told_releases, request.caller.org, request.caller.agent,
                          request.headers.find("X-Agent-Version"), request.now);
  if (!release) return Response{204, ""};
  JsonWriter json;
  json.begin_object().member("success", true).key("data").begin_object();
  write_offer(json, *release);
  if (with_address) {
    json.member("download_url", app.face.url + "/api/agent/update?os=" + release->facts.os +
                                    "&arch=" + release->facts.arch);
  }
  json.end_object().end_object();
  return http::json_response(200, json.take());
}

}  // namespace

Result<Reply> check_version(App& app, const Request& request) {
  if (request.caller.kind == http::Caller::Kind::agent) return offer(app, request, false);
  return list_script_versions(app, request);
}

Result<Reply> check_update(App& app, const Request& request) {
  Platform platform = TRY(platform_of(request));
  if (platform.os.empty() && platform.arch.empty()) return offer(app, request, true);
  return Reply(release_response(
      request,
      TRY(fleet::open_update(app.store, app.told_releases, request.caller.org, request.caller.agent,
                             std::move(platform.os), std::move(platform.arch), request.now))));
}

Result<Reply> download_release(App& app, const Request& request) {
  TRY(app.download_limit.take(http::peer_key(request.peer_address),
                              app.nodes.share_of(app.config.limits_download_per_minute),
                              request.now));
  const Platform platform = TRY(platform_of(request));
  if (platform.os.empty()) return Error{Errc::invalid_field, "Invalid os parameter", "os"};
  if (platform.arch.empty()) return Error{Errc::invalid_field, "Invalid arch parameter", "arch"};
  return Reply(release_response(
      request, TRY(fleet::open_latest(app.store, platform.os, platform.arch, request.now))));
}

}  // namespace muster::endpoints
