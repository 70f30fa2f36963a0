// SPDX-License-Identifier: Apache-2.0
// What inventory agents of the field replace themselves with, for them and for operators.
#include "endpoints/inventory/scripts.h"

#include "base/json_write.h"
#include "endpoints/decode.h"
#include "endpoints/download.h"
#include "endpoints/operator/operator.h"
#include "fleet/agent_scripts.h"
#include "fleet/nodes.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

std::string encode_script(const fleet::AgentScript& script, fleet::OperatorNames& names) {
  JsonWriter json;
  json.begin_object()
      .member("platform", script.platform)
      .member("version", script.version)
      .member("sha256", script.sha256.text())
      .member("size", script.size)
      .member("uploaded_at", script.uploaded_at);
  write_operator(json, "uploaded_by", script.uploaded_by, names);
  return json.end_object().take();
}

}  // namespace

Result<Reply> list_script_versions(App& app, const Request& request) {
  JsonWriter json;
  json.begin_object().key("versions").begin_object();
  for (const std::string_view platform : {"linux", "windows", "macos"}) {
    json.key(platform);
    bool known = false;
    for (const fleet::AgentScript& script : app.scripts.list()) {
      if (script.platform != platform) continue;
      json.value(script.version);
      known = true;
    }
    if (!known) json.null();
  }
  json.end_object().member("release_notes_url", "").member("server_time", request.now).end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> download_agent_script(App& app, const Request& request) {
  if (request.caller.kind != http::Caller::Kind::agent) {
    TRY(app.script_limit.take(static_cast<std::uint64_t>(request.caller.key),
                              app.nodes.share_of(limits::rare_calls_per_minute), request.now));
  }
  auto opened = TRY(fleet::open_agent_script(app.store, request.params[0]));
  const bool powershell = opened.script.platform == "windows";
  const std::string filename = "agent-" + opened.script.platform + (powershell ? ".ps1" : ".sh");
  Response response =
      download_response(request, std::move(opened.content), opened.script.sha256.text(), filename);
  response.headers.emplace_back("X-Agent-Version", opened.script.version);
  response.headers.emplace_back("X-Agent-Checksum", opened.script.sha256.text());
  return Reply(std::move(response));
}

Result<Reply> upload_agent_script(App& app, const Request& request) {
  Fields fields(TRY(decode_body(request)));
  fleet::AgentScript script;
  script.platform = fields.text("platform", limits::name_bytes);
  script.version = fields.text("version", limits::agent_version_bytes);
  script.sha256 = TRY(sha256_member(fields));
  script.uploaded_by = OperatorId{request.caller.key};
  return Reply(http::Write([&app, actor = actor_of(request), script = std::move(script),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::AgentScript kept =
        TRY(fleet::upload_agent_script(tx, app.ids, app.scripts, actor, script, now));
    fleet::OperatorNames names(tx);
    return http::json_response(201, encode_script(kept, names));
  }));
}

Result<Reply> list_agent_scripts(App& app, const Request& request) {
  std::vector<Listed> all;
  fleet::OperatorNames names(app.store);
  for (const fleet::AgentScript& script : app.scripts.list()) {
    all.push_back({script.platform, encode_script(script, names)});
  }
  return page_of(all, request);
}

Result<Reply> delete_agent_script(App& app, const Request& request) {
  return Reply(
      http::Write([&app, actor = actor_of(request), platform = std::string(request.params[0]),
                   now = request.now](store::Tx& tx) -> Result<Response> {
        const fleet::AgentScript gone =
            TRY(fleet::delete_agent_script(tx, app.ids, app.scripts, actor, platform, now));
        fleet::OperatorNames names(tx);
        return http::json_response(200, encode_script(gone, names));
      }));
}

}  // namespace muster::endpoints
