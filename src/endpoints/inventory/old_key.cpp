// SPDX-License-Identifier: Apache-2.0
// A host that was given another key asks to end the one it had.
#include "base/json_write.h"
#include "endpoints/decode.h"
#include "endpoints/inventory/parts.h"
#include "endpoints/operator/operator.h"
#include "fleet/credentials.h"
#include "fleet/key_uses.h"
#include "fleet/nodes.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

Response outcome(std::string_view status, std::string_view message) {
  JsonWriter json;
  json.begin_object().member("status", status).member("message", message).end_object();
  return http::json_response(200, json.take());
}

}  // namespace

Result<Reply> revoke_old_key(App& app, const Request& request) {
  if (request.caller.kind == http::Caller::Kind::agent) {
    return Error{Errc::insufficient_scope, "An enrolled agent has no site's key to end."};
  }
  TRY(app.script_limit.take(static_cast<std::uint64_t>(request.caller.key),
                            app.nodes.share_of(limits::rare_calls_per_minute), request.now));
  std::string decoded;
  const std::string_view text = TRY(decode_encoding(request, decoded));
  Fields fields(TRY(thread_json().parse(text)));
  const std::string_view key = fields.text("old_api_key", limits::key_bytes);
  const auto machine_id = fields.optional_text("agent_id", limits::key_bytes);
  const auto hostname = fields.optional_text("hostname", limits::hostname_bytes);
  TRY(fields.finish());
  const auto old = app.credentials.inventory_keys.find(app.credentials.hash(key));
  if (!old) return Reply(outcome("not_found", "No such key is in use."));
  if (old->key.value == request.caller.key) {
    return invalid_field("old_api_key", "is the key of this call");
  }
  if (old->org != request.caller.org) {
    return Error{Errc::organization_forbidden, "The key belongs to another organization",
                 "old_api_key"};
  }
  fleet::KeySuccessor successor{request.caller.org, KeyId{request.caller.key}, std::nullopt,
                                request.peer_address};
  if (machine_id || hostname) {
    const auto host = named_host(app, request, machine_id.value_or(""), hostname.value_or(""));
    if (host) successor.host = host->id;
  }
  return reply_when_followed(
      app,
      [&app, successor, old_key = old->key, now = request.now](store::Tx& tx) -> Result<Response> {
        const bool revoked =
            TRY(fleet::revoke_old_key(tx, app.ids, app.credentials, successor, old_key, now));
        if (revoked) return outcome("revoked", "The key is revoked.");
        return outcome("in_use", "Other hosts still use the key; it stays.");
      });
}

}  // namespace muster::endpoints
