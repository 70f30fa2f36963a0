// SPDX-License-Identifier: Apache-2.0
#include "endpoints/inventory/heartbeat.h"

#include "base/json_write.h"
#include "endpoints/decode.h"
#include "endpoints/inventory/parts.h"
#include "fleet/key_uses.h"
#include "fleet/presence.h"
#include "fleet/set_hashes.h"

namespace muster::endpoints {

namespace {

constexpr int heartbeat_minutes = 5;
constexpr int retry_attempts = 3;
constexpr int retry_delay_seconds = 5;

/// The five members of the seed, in its order.
void write_settings(JsonWriter& json, const fleet::HostSettings& settings) {
  json.member("scan_interval", settings.scan_interval)
      .member("include_updates", settings.include_updates)
      .member("include_services", settings.include_services)
      .member("minimum_agent_version", settings.minimum_agent_version)
      .member("force_full_scan", settings.force_full_scan);
}

std::string encode_config(const fleet::HostSettings& settings, Instant now) {
  JsonWriter json;
  json.begin_object();
  write_settings(json, settings);
  json.key("config")
      .begin_object()
      .member("scan_interval_minutes", settings.scan_interval / 60)
      .member("heartbeat_interval_minutes", heartbeat_minutes)
      .member("retry_attempts", retry_attempts)
      .member("retry_delay_seconds", retry_delay_seconds)
      .end_object()
      .member("server_time", now)
      .end_object();
  return json.take();
}

/// What is set for an agent comes as a text, of which its hash is: there is one reading of it.
http::Response device_config(const App& app, const http::Caller& caller) {
  const auto host = app.directory.find(caller.host);
  const std::string document =
      host ? fleet::agent_document(app.settings.of_host(caller.org, host->id, host->tags))
           : std::string();
  JsonWriter json;
  json.begin_object()
      .member("success", true)
      .key("data")
      .begin_object()
      .member("server_url", app.face.url);
  if (!document.empty()) {
    json.member("config_hash", fleet::config_hash_of(document)).member("config_document", document);
  }
  json.end_object().end_object();
  return http::json_response(200, json.take());
}

http::Response acknowledge(const fleet::HostDirectory::Known& host,
                           const fleet::HostSettings& settings, std::string_view delta,
                           Instant now) {
  JsonWriter json;
  json.begin_object()
      .member("status", "ok")
      .member("asset_id", host.id)
      .member("server_time", now)
      .key("config")
      .begin_object();
  write_settings(json, settings);
  json.member("scan_interval_minutes", settings.scan_interval / 60)
      .member("heartbeat_interval_minutes", heartbeat_minutes)
      .end_object()
      .member("hostname", host.hostname);
  if (!delta.empty()) json.member("delta_ack", delta);
  json.end_object();
  return http::json_response(200, json.take());
}

}  // namespace

Result<http::Reply> inventory_heartbeat(App& app, const http::Request& request) {
  std::string decoded;
  const std::string_view text = TRY(decode_encoding(request, decoded));
  const Json body = TRY(thread_json().parse(text));
  Fields fields(body);
  const auto machine_id = fields.optional_text("agent_id", limits::key_bytes);
  // Agents in the field may send either.
  const std::string_view hostname =
      machine_id.value_or("").empty()
          ? fields.text("hostname", limits::hostname_bytes)
          : fields.optional_text("hostname", limits::hostname_bytes).value_or("");
  const auto agent_version = fields.optional_text("agent_version", limits::agent_version_bytes);
  const auto delta = fields.optional_text("delta", limits::name_bytes);
  const auto set_hash = optional_set_hash(fields, "set_hash");
  TRY(fields.finish());

  const OrgId org = request.caller.org;
  const auto host = app.directory.find(org, machine_id.value_or(""), hostname);
  if (!host) return unknown_host();
  app.presence.touch_host(org, host->id, agent_version.value_or(""), request.now);
  fleet::HostSettings settings = settings_for(app, request, *host);
  const bool in_doubt = set_hash && !settings.force_full_scan &&
                        app.marks.may_differ(host->id, std::nullopt, *set_hash);
  const std::string acknowledged(delta == "full" || delta == "unchanged" ? *delta : "");
  const KeyId key{request.caller.key};
  if (!in_doubt && !app.key_uses.is_news(key, host->id, request.now)) {
    return http::Reply(acknowledge(*host, settings, acknowledged, request.now));
  }
  const auto doubtful = in_doubt ? set_hash : std::nullopt;
  return http::Reply(
      http::Write([&app, host = *host, settings, acknowledged, doubtful, org, key,
                   now = request.now](store::Tx& tx) mutable -> Result<http::Response> {
        fleet::record_key_use(tx, app.key_uses, org, key, host.id, now);
        if (doubtful) {
          settings.force_full_scan =
              record_told_set(app, tx, {org, host.id, std::nullopt, key}, *doubtful, now);
        }
        return acknowledge(host, settings, acknowledged, now);
      }));
}

Result<http::Reply> agent_config(App& app, const http::Request& request) {
  if (request.caller.kind == http::Caller::Kind::agent) {
    return http::Reply(device_config(app, request.caller));
  }
  const OrgId org = request.caller.org;
  const auto hostname = http::query_param(request.query, "hostname");
  const auto machine_id = http::query_param(request.query, "agent_id");
  const auto host = app.directory.find(org, machine_id.value_or(""), hostname.value_or(""));
  const fleet::HostSettings settings =
      host ? settings_for(app, request, *host) : app.settings.of_org(org);
  return http::Reply(http::json_response(200, encode_config(settings, request.now)));
}

}  // namespace muster::endpoints
