// SPDX-License-Identifier: Apache-2.0
// What only the inventory agents in the field ask for. Their shell reads answers with grep over the
// whole body, so texts here are constant and an answer has one command at most.
#include "base/json_write.h"
#include "endpoints/app.h"
#include "endpoints/decode.h"
#include "endpoints/inventory/parts.h"
#include "fleet/agent_scripts.h"
#include "fleet/history.h"
#include "fleet/presence.h"
#include "store/store.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

constexpr int next_poll_seconds = 300;

Error no_id() {
  return {Errc::missing_field, "hostname or agent_id required", "hostname"};
}

void write_scan_now(JsonWriter& json, Instant now) {
  json.begin_object()
      .member("command", "scan_now")
      .member("message", "A full report is wanted.")
      .member("requested_at", now)
      .member("requested_by", "server")
      .end_object();
}

void write_update(JsonWriter& json, const fleet::AgentScript& script, std::string_view running) {
  json.begin_object()
      .member("command", "update_available")
      .member("current_version", running)
      .member("latest_version", script.version)
      .member("download_url", "/api/agent/download/" + script.platform)
      .member("checksum", script.sha256.text())
      .member("message", "A later version was uploaded.")
      .end_object();
}

void write_interval(JsonWriter& json, const fleet::HostSettings& settings) {
  json.begin_object()
      .member("command", "update_config")
      .key("config")
      .begin_object()
      .member("scan_interval_minutes", settings.scan_interval / 60)
      .end_object()
      .end_object();
}

/// The one command of an answer. A full report is asked for until it comes, so the others wait
/// little. Those are sent with every poll while they hold: an update that never succeeds must not
/// keep the interval from a host, so polls take turns.
void write_command(JsonWriter& json, const fleet::HostSettings& settings,
                   const std::optional<fleet::AgentScript>& script, std::string_view running,
                   Instant now) {
  const fleet::HostSettings defaults;
  const bool interval = settings.scan_interval != defaults.scan_interval;
  const bool odd_turn = now.unix_ms / (next_poll_seconds * 1000) % 2 != 0;
  if (settings.force_full_scan) {
    write_scan_now(json, now);
  } else if (script && (!interval || odd_turn)) {
    write_update(json, *script, running);
  } else if (interval) {
    write_interval(json, settings);
  }
}

/// The script that the caller should replace itself with; nothing when it does not say what it
/// runs.
std::optional<fleet::AgentScript> later_script(const App& app, const Request& request) {
  const auto running = http::query_param(request.query, "version").value_or("");
  const auto platform = http::query_param(request.query, "platform").value_or("linux");
  if (running.empty() || running.size() > limits::agent_version_bytes) return std::nullopt;
  return app.scripts.find_newer(platform, running);
}

}  // namespace

Result<Reply> list_commands(App& app, const Request& request) {
  const bool by_agent = request.caller.kind == http::Caller::Kind::agent;
  const auto machine_id = http::query_param(request.query, "agent_id").value_or("");
  const auto hostname = http::query_param(request.query, "hostname").value_or("");
  if (!by_agent && machine_id.empty() && hostname.empty()) return no_id();
  const OrgId org = request.caller.org;
  const auto host = named_host(app, request, machine_id, hostname);
  if (!by_agent && host) {
    const auto version = http::query_param(request.query, "version").value_or("");
    const bool plain = version.size() <= limits::agent_version_bytes;
    app.presence.touch_host(org, host->id, plain ? version : "", request.now);
  }
  JsonWriter json;
  json.begin_object().key("commands").begin_array();
  if (host) {
    // An enrolled agent is updated by releases.
    const auto script = by_agent ? std::nullopt : later_script(app, request);
    write_command(json, settings_for(app, request, *host), script,
                  http::query_param(request.query, "version").value_or(""), request.now);
  }
  json.end_array()
      .key("scan_capabilities")
      .begin_object()
      .member("os_packages", true)
      .member("extensions", true)
      .member("dependencies", true)
      .end_object()
      .member("server_time", request.now)
      .member("next_poll_seconds", next_poll_seconds)
      .end_object();
  return Reply(http::json_response(200, json.take()));
}

Result<Reply> list_jobs(App&, const Request&) {
  // Reports are stored before they are answered: there never is a job.
  return Reply(http::json_response(200, R"({"jobs": [], "total": 0})"));
}

Result<Reply> report_update_status(App& app, const Request& request) {
  std::string decoded;
  const std::string_view text = TRY(decode_encoding(request, decoded));
  Fields fields(TRY(thread_json().parse(text)));
  const auto machine_id = fields.optional_text("agent_id", limits::key_bytes);
  const auto hostname = fields.optional_text("hostname", limits::hostname_bytes);
  const std::string status(one_of(fields, "status", {"success", "failed", "rolled_back"}));
  const auto text_of = [&](std::string_view name, std::size_t bytes_max) {
    return std::string(fields.optional_text(name, bytes_max).value_or(""));
  };
  const std::string old_version = text_of("old_version", limits::agent_version_bytes);
  const std::string new_version = text_of("new_version", limits::agent_version_bytes);
  const std::string failure = text_of("error", limits::detail_bytes);
  TRY(fields.finish());
  const bool by_agent = request.caller.kind == http::Caller::Kind::agent;
  if (!by_agent && machine_id.value_or("").empty() && hostname.value_or("").empty()) {
    return no_id();
  }
  const auto host = named_host(app, request, machine_id.value_or(""), hostname.value_or(""));
  if (!host) return unknown_host();
  return Reply(
      http::Write([&app, org = request.caller.org, id = host->id, status, old_version, new_version,
                   failure, now = request.now](store::Tx& tx) -> Result<Response> {
        fleet::record_event(
            tx, app.ids, org, model::EventType::update_reported, std::nullopt, id,
            [&](JsonWriter& details) {
              details.member("status", status)
                  .member("old_version", old_version)
                  .member("new_version", new_version)
                  .member("error", failure);
            },
            now);
        return http::json_response(200, R"({"status": "received", "message": "Recorded."})");
      }));
}

}  // namespace muster::endpoints
