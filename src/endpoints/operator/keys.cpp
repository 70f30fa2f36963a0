// SPDX-License-Identifier: Apache-2.0
// Organisations, enrolment tokens and inventory keys.
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/enrolment.h"
#include "fleet/orgs.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;
using http::Scope;

namespace {

struct ScopeName {
  std::string_view name;
  Scope scope;
};
constexpr ScopeName scope_names[] = {
    {"agent", Scope::agent}, {"read", Scope::read}, {"import", Scope::import}};

void write_scopes(JsonWriter& json, std::int64_t scopes) {
  json.key("scopes").begin_array();
  for (const ScopeName& known : scope_names) {
    if ((scopes & static_cast<std::int64_t>(known.scope)) != 0) json.value(known.name);
  }
  json.end_array();
}

Result<std::uint8_t> decode_scopes(Fields& fields) {
  const auto words = fields.optional_texts("scopes", std::size(scope_names), limits::name_bytes);
  unsigned scopes = 0;
  for (const std::string& word : words) {
    unsigned found = 0;
    for (const ScopeName& known : scope_names) {
      if (known.name == word) found = static_cast<unsigned>(known.scope);
    }
    if (found == 0) fields.fail("scopes", "must be agent, read or import");
    scopes |= found;
  }
  TRY(fields.finish());
  if (scopes == 0) scopes = static_cast<unsigned>(Scope::agent);
  return static_cast<std::uint8_t>(scopes);
}

std::string encode_token(const fleet::EnrolmentToken& token) {
  JsonWriter json;
  json.begin_object()
      .member("id", token.id)
      .member("org_id", token.org)
      .member("max_uses", token.max_uses)
      .member("uses", token.uses)
      .member("created_at", token.created_at)
      .member("expires_at", token.expires_at)
      .member("revoked_at", token.revoked_at)
      .end_object();
  return json.take();
}

std::string encode_key(const fleet::InventoryKey& key) {
  JsonWriter json;
  json.begin_object().member("id", key.id).member("org_id", key.org).member("name", key.name);
  write_scopes(json, key.scopes);
  json.member("created_at", key.created_at).member("revoked_at", key.revoked_at).end_object();
  return json.take();
}

std::string encode_org(const fleet::Org& org) {
  JsonWriter json;
  json.begin_object()
      .member("id", org.id)
      .member("name", org.name)
      .member("created_at", org.created_at)
      .end_object();
  return json.take();
}

}  // namespace

Result<Reply> create_token(App& app, const Request& request) {
  const Json body = TRY(decode_optional_body(request));
  Fields fields(body);
  const Duration ttl = std::chrono::seconds(
      fields.optional_integer("ttl_seconds", 1, limits::token_ttl_seconds_max).value_or(86400));
  const auto max_uses = fields.optional_integer("max_uses", 1, limits::token_uses_max).value_or(1);
  const OrgId org = TRY(org_member(app, fields, body));
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), org, ttl, max_uses,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::CreatedToken created = fleet::create_enrolment_token(
        tx, app.ids, app.rng, app.credentials, actor, org, ttl, max_uses, now);
    JsonWriter json;
    json.begin_object()
        .member("id", created.id)
        .member("token", created.token)
        .member("expires_at", created.expires_at)
        .member("max_uses", max_uses)
        .end_object();
    return http::json_response(201, json.take());
  }));
}

Result<Reply> list_tokens(App& app, const Request& request) {
  const auto org = TRY(org_param(app, request));
  std::vector<Listed> listed;
  for (const auto& token : fleet::list_all_tokens(app.store)) {
    if (org && token.org != *org) continue;
    listed.push_back({std::to_string(token.id.value), encode_token(token)});
  }
  return page_of(listed, request);
}

Result<Reply> revoke_token(App& app, const Request& request) {
  const TokenId id{TRY(number_param(request.params[0], "token"))};
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), id, now = request.now](store::Tx& tx) -> Result<Response> {
        return http::json_response(200, encode_token(TRY(fleet::revoke_enrolment_token(
                                            tx, app.ids, app.credentials, actor, id, now))));
      });
}

Result<Reply> create_key(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  const std::string name(fields.text("name", limits::name_bytes));
  const std::uint8_t scopes = TRY(decode_scopes(fields));
  const OrgId org = TRY(org_member(app, fields, body));
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), org, name, scopes,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::CreatedKey created = fleet::create_inventory_key(
        tx, app.ids, app.rng, app.credentials, actor, org, name, scopes, now);
    JsonWriter json;
    json.begin_object().member("id", created.id).member("key", created.key).member("name", name);
    write_scopes(json, scopes);
    json.end_object();
    return http::json_response(201, json.take());
  }));
}

Result<Reply> list_keys(App& app, const Request& request) {
  const auto org = TRY(org_param(app, request));
  std::vector<Listed> listed;
  for (const auto& key : fleet::list_all_keys(app.store)) {
    if (org && key.org != *org) continue;
    listed.push_back({std::to_string(key.id.value), encode_key(key)});
  }
  return page_of(listed, request);
}

Result<Reply> revoke_key(App& app, const Request& request) {
  const KeyId id{TRY(number_param(request.params[0], "key"))};
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), id, now = request.now](store::Tx& tx) -> Result<Response> {
        return http::json_response(200, encode_key(TRY(fleet::revoke_inventory_key(
                                            tx, app.ids, app.credentials, actor, id, now))));
      });
}

Result<Reply> create_org(App& app, const Request& request) {
  Fields fields(TRY(decode_body(request)));
  const std::string name(fields.text("name", limits::name_bytes));
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), name,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    return http::json_response(201,
                               encode_org(TRY(fleet::create_org(tx, app.ids, actor, name, now))));
  }));
}

Result<Reply> list_orgs(App& app, const Request& request) {
  std::vector<Listed> listed;
  for (const auto& org : fleet::list_all_orgs(app.store)) {
    listed.push_back({std::to_string(org.id.value), encode_org(org)});
  }
  return page_of(listed, request);
}

}  // namespace muster::endpoints
