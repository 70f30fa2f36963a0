// SPDX-License-Identifier: Apache-2.0
#include "endpoints/dialect.h"

#include "base/check.h"
#include "base/json_write.h"

namespace muster::endpoints {

namespace {

/// What a site's administrator can do about a failure.
std::string_view hint_of(Errc code) {
  switch (code) {
    case Errc::missing_api_key:
      return "Send the key in the X-Agent-Key header.";
    case Errc::invalid_api_key:
      return "The key is unknown or revoked. Create one and send it in the X-Agent-Key header.";
    case Errc::insufficient_scope:
      return "Create a key with the agent scope.";
    case Errc::organization_forbidden:
      return "Leave organization_id out to use the key's own.";
    case Errc::unknown_host:
      return "POST /api/agent/report without delta creates the asset.";
    case Errc::set_hash_mismatch:
      return "POST /api/agent/report without delta replaces what the server has.";
    case Errc::hostname_conflict:
      return "Rename the host, or set hosts.unique_hostnames to \"org\".";
    case Errc::unsupported_encoding:
      return "Send the body plain, or as gzip or zstd.";
    case Errc::rate_limited:
    case Errc::overloaded:
    case Errc::unavailable:
      return "Wait as many seconds as Retry-After says.";
    default:
      return "";
  }
}

std::string device_error(const Error& error) {
  JsonWriter json;
  json.begin_object()
      .member("success", false)
      .member("error", error.message)
      .member("code", errc_name(error.code));
  if (!error.field.empty()) json.member("field", error.field);
  if (error.server_time) json.member("server_time", *error.server_time);
  json.end_object();
  return json.take();
}

std::string flat_error(Dialect dialect, const Error& error) {
  JsonWriter json;
  json.begin_object().member("error", errc_name(error.code)).member("message", error.message);
  if (dialect == Dialect::inventory) {
    json.member("hint", hint_of(error.code));
  }
  if (!error.field.empty()) json.member("field", error.field);
  if (error.server_time) json.member("server_time", *error.server_time);
  json.end_object();
  return json.take();
}

}  // namespace

Dialect dialect_of(Dialect row, const http::Request& request) {
  if (row != Dialect::shared) return row;
  return request.headers.has("X-Agent-ID") ? Dialect::device : Dialect::inventory;
}

http::Response error_response(Dialect dialect, const Error& error) {
  CHECK(dialect != Dialect::shared);
  http::Response response = http::json_response(
      http::status_of(error.code),
      dialect == Dialect::device ? device_error(error) : flat_error(dialect, error));
  if (error.retry_after_seconds) {
    response.headers.emplace_back("Retry-After", std::to_string(*error.retry_after_seconds));
  }
  return response;
}

}  // namespace muster::endpoints
