// SPDX-License-Identifier: Apache-2.0
// Organisations, enrolment tokens and inventory keys.
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "endpoints/reach.h"
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

std::string encode_token(const store::EnrolmentToken& token, Instant now) {
  JsonWriter json;
  json.begin_object()
      .member("id", token.id)
      .member("org_id", token.org)
      .member("status", model::token_state_name(model::token_state(token.revoked_at.has_value(),
                                                                   token.uses >= token.max_uses,
                                                                   now >= token.expires_at)))
      .member("max_uses", token.max_uses)
      .member("uses", token.uses)
      .member("created_at", token.created_at)
      .member("expires_at", token.expires_at)
      .member("revoked_at", token.revoked_at)
      .member("tags", token.terms.tags);
  json.key("networks").begin_array();
  for (const IpNetwork& network : token.terms.networks) json.value(format_ip_network(network));
  json.end_array();
  json.member("systems", token.terms.systems).end_object();
  return json.take();
}

std::string encode_use(const store::ListedAgent& use) {
  JsonWriter json;
  json.begin_object()
      .member("agent_id", use.agent.id)
      .member("asset_id", use.agent.host)
      .member("hostname", use.hostname)
      .member("os", use.agent.os)
      .member("arch", use.agent.arch)
      .member("status", model::agent_status_name(use.agent.status))
      .member("enrolled_at", use.agent.enrolled_at)
      .member("enrolled_from", use.agent.enrolled_from)
      .end_object();
  return json.take();
}

/// Fails in `fields`.
void take_terms(Fields& fields, model::TokenTerms& terms) {
  terms.tags = fields.optional_texts("tags", limits::tags, limits::tag_bytes);
  for (const std::string& tag : terms.tags) {
    if (tag.empty()) fields.fail("tags", "must not be empty");
  }
  for (const std::string& text :
       fields.optional_texts("networks", limits::token_fences, limits::name_bytes)) {
    const auto network = parse_ip_network(text);
    if (!network.ok()) return fields.fail("networks", network.error().message);
    terms.networks.push_back(*network);
  }
  terms.systems = fields.optional_texts("systems", limits::token_fences, limits::name_bytes);
  for (const std::string& system : terms.systems) {
    if (!model::is_system(system)) {
      fields.fail("systems", "must be windows, linux or darwin, alone or with /amd64 or /arm64");
    }
  }
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
  fleet::TokenOrder order;
  order.ttl = std::chrono::seconds(
      fields.optional_integer("ttl_seconds", 1, limits::token_ttl_seconds_max).value_or(86400));
  order.max_uses = fields.optional_integer("max_uses", 1, limits::token_uses_max).value_or(1);
  take_terms(fields, order.terms);
  order.org = TRY(org_member(app, request, fields, body));
  TRY(fields.finish());
  return Reply(http::Write([&app, actor = actor_of(request), order = std::move(order),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::CreatedToken created =
        fleet::create_enrolment_token(tx, app.ids, app.rng, app.credentials, actor, order, now);
    JsonWriter json;
    json.begin_object()
        .member("id", created.id)
        .member("token", created.token)
        .member("expires_at", created.expires_at)
        .member("max_uses", order.max_uses)
        .end_object();
    return http::json_response(201, json.take());
  }));
}

Result<Reply> list_tokens(App& app, const Request& request) {
  store::EnrolmentTokenFilter filter;
  filter.org = TRY(org_param(app, request));
  filter.now = request.now;
  if (const auto status = http::query_param(request.query, "status")) {
    filter.state = model::parse_token_state(*status);
    if (!filter.state) {
      return invalid_field("status", "must be active, expired, exhausted or revoked");
    }
  }
  const int limit = TRY(page_limit(request));
  const auto page = TRY(fleet::list_token_page(app.store, filter, page_cursor(request), limit));
  std::vector<std::string> items;
  items.reserve(page.tokens.size());
  for (const auto& token : page.tokens) items.push_back(encode_token(token, request.now));
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> list_token_uses(App& app, const Request& request) {
  const TokenId id{TRY(number_param(request.params[0], "token"))};
  const int limit = TRY(page_limit(request));
  const auto page = TRY(fleet::list_token_uses(app.store, id, page_cursor(request), limit));
  std::vector<std::string> items;
  items.reserve(page.uses.size());
  for (const auto& use : page.uses) items.push_back(encode_use(use));
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> revoke_token(App& app, const Request& request) {
  const TokenId id{TRY(number_param(request.params[0], "token"))};
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), id, now = request.now](store::Tx& tx) -> Result<Response> {
        const auto token =
            TRY(fleet::revoke_enrolment_token(tx, app.ids, app.credentials, actor, id, now));
        return http::json_response(200, encode_token(token, now));
      });
}

Result<Reply> create_key(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  const std::string name(fields.text("name", limits::name_bytes));
  const std::uint8_t scopes = TRY(decode_scopes(fields));
  const OrgId org = TRY(org_member(app, request, fields, body));
  const bool imports = (scopes & static_cast<unsigned>(Scope::import)) != 0;
  // Feeds decide what is found in every organisation.
  if (imports && org != OrgId{1}) {
    fields.fail("scopes", "import is for keys of the organisation default: feeds are the server's");
  }
  TRY(fields.finish());
  if (imports && request.caller.is_limited()) return only_on_server(http::Role::admin);
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
  const http::Caller& caller = request.caller;
  for (const auto& org : fleet::list_all_orgs(app.store)) {
    if (caller.authority.in(org.id) < caller.least) continue;
    listed.push_back({std::to_string(org.id.value), encode_org(org)});
  }
  return page_of(listed, request);
}

}  // namespace muster::endpoints
