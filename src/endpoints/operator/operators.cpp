// SPDX-License-Identifier: Apache-2.0
// Operators, and their roles on the server and in organisations.
#include "fleet/operators.h"

#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "endpoints/operator/operator_members.h"
#include "endpoints/reach.h"
#include "fleet/orgs.h"
#include "store/store.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

std::string encode_operator(const fleet::OperatorView& view, const OrgNames& names,
                            fleet::OperatorNames& people) {
  const store::OperatorToken& token = view.token;
  JsonWriter json;
  json.begin_object()
      .member("id", token.id)
      .member("name", token.name)
      .member("role", token.role)
      .member("created_at", token.created_at)
      .member("expires_at", token.expires_at)
      .member("revoked_at", token.revoked_at);
  write_grants(json, view.grants, names, people);
  json.end_object();
  return json.take();
}

std::string encode_grant(const store::OperatorGrant& grant, fleet::OperatorNames& people) {
  JsonWriter json;
  json.begin_object()
      .member("operator_id", grant.operator_id)
      .member("org_id", grant.org)
      .member("role", grant.role)
      .member("granted_at", grant.granted_at);
  write_actor(json, "granted_by", grant.granted_by, people);
  return json.end_object().take();
}

http::Role role_member(Fields& fields) {
  const auto name = one_of(fields, "role", {"read_only", "analyst", "operator", "admin", "owner"});
  return http::parse_role(name).value_or(http::Role::none);
}

/// How long a token is good from now on; zero never ends.
Duration ttl_member(Fields& fields) {
  return std::chrono::seconds(
      fields.optional_integer("ttl_seconds", 0, limits::operator_ttl_seconds_max)
          .value_or(limits::operator_ttl_seconds));
}

/// The organisation in the path: in words or as a number. Fails as org_param.
Result<OrgId> org_of_path(App& app, const Request& request) {
  const auto text = http::decode_component(request.params[1]);
  return reached_org(app, request, text.value_or(""));
}

/// Where a new operator is to have its role: the member `org`, or else `?org=`. Nothing is the
/// whole server: neither is there or `?org=0`, for callers who are not limited (endpoints/reach.h).
Result<std::optional<OrgId>> place_of(App& app, const Request& request, Fields& fields,
                                      const Json& body) {
  const auto asked_about = http::query_param(request.query, "org").value_or("0");
  const bool on_server = !fields.has("org") && asked_about == "0";
  if (on_server && !request.caller.is_limited()) return std::optional<OrgId>();
  const OrgId org = TRY(org_member(app, request, fields, body));
  return std::optional<OrgId>(org);
}

}  // namespace

OrgNames org_names(App& app) {
  OrgNames names;
  for (const auto& org : fleet::list_all_orgs(app.store)) names.emplace(org.id, org.name);
  return names;
}

void write_grants(JsonWriter& json, const std::vector<store::OperatorGrant>& grants,
                  const OrgNames& names, fleet::OperatorNames& people) {
  json.key("grants").begin_array();
  for (const store::OperatorGrant& grant : grants) {
    const auto name = names.find(grant.org);
    json.begin_object()
        .member("org_id", grant.org)
        .member("org", name == names.end() ? std::string() : name->second)
        .member("role", grant.role)
        .member("granted_at", grant.granted_at);
    write_actor(json, "granted_by", grant.granted_by, people);
    json.end_object();
  }
  json.end_array();
}

Result<Reply> create_operator(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  fleet::OperatorOrder order;
  order.name = fields.text("name", limits::name_bytes);
  order.role = role_member(fields);
  order.ttl = ttl_member(fields);
  order.org = TRY(place_of(app, request, fields, body));
  TRY(fields.finish());
  const http::Authority& authority = request.caller.authority;
  if (order.role > (order.org ? authority.in(*order.org) : authority.on_server)) {
    return Error{Errc::insufficient_role, "Nobody gives a role above their own."};
  }
  return Reply(http::Write([&app, actor = actor_of(request), order = std::move(order),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    TRY(fleet::check_operator_name(tx, order.name, now));
    const auto created =
        fleet::create_operator(tx, app.ids, app.rng, app.credentials, actor, order, now);
    JsonWriter json;
    json.begin_object()
        .member("id", created.id)
        .member("token", created.token)
        .member("name", order.name)
        .member("role", http::role_name(order.role))
        .member("expires_at", created.expires_at)
        .member("org_id", order.org)
        .end_object();
    return http::json_response(201, json.take());
  }));
}

Result<Reply> list_operators(App& app, const Request& request) {
  std::optional<OrgId> org;
  if (const auto text = http::query_param(request.query, "org")) {
    org = TRY(reached_org(app, request, *text));
  }
  const OrgNames names = org_names(app);
  fleet::OperatorNames people(app.store);
  std::vector<Listed> all;
  for (const auto& view : fleet::list_operators(app.store, request.caller.authority, org)) {
    all.push_back({std::to_string(view.token.id.value), encode_operator(view, names, people)});
  }
  return page_of(all, request);
}

Result<Reply> renew_operator(App& app, const Request& request) {
  const OperatorId id{TRY(number_param(request.params[0], "operator"))};
  Fields fields(TRY(decode_body(request)));
  const Duration ttl = ttl_member(fields);
  TRY(fields.finish());
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), authority = request.caller.authority, id, ttl,
       names = org_names(app), now = request.now](store::Tx& tx) -> Result<Response> {
        const auto view = TRY(
            fleet::renew_operator(tx, app.ids, app.credentials, actor, authority, id, ttl, now));
        fleet::OperatorNames people(tx);
        return http::json_response(200, encode_operator(view, names, people));
      });
}

Result<Reply> revoke_operator(App& app, const Request& request) {
  const OperatorId id{TRY(number_param(request.params[0], "operator"))};
  return reply_when_followed(
      app,
      [&app, actor = actor_of(request), authority = request.caller.authority, id,
       names = org_names(app), now = request.now](store::Tx& tx) -> Result<Response> {
        const auto view =
            TRY(fleet::revoke_operator(tx, app.ids, app.credentials, actor, authority, id, now));
        fleet::OperatorNames people(tx);
        return http::json_response(200, encode_operator(view, names, people));
      });
}

Result<Reply> grant_role(App& app, const Request& request) {
  fleet::GrantOrder order;
  order.operator_id = OperatorId{TRY(number_param(request.params[0], "operator"))};
  Fields fields(TRY(decode_body(request)));
  order.role = role_member(fields);
  TRY(fields.finish());
  order.org = TRY(org_of_path(app, request));
  return reply_when_followed(app,
                             [&app, actor = actor_of(request), authority = request.caller.authority,
                              order, now = request.now](store::Tx& tx) -> Result<Response> {
                               const auto grant = TRY(fleet::grant_role(
                                   tx, app.ids, app.credentials, actor, authority, order, now));
                               fleet::OperatorNames people(tx);
                               return http::json_response(200, encode_grant(grant, people));
                             });
}

Result<Reply> revoke_grant(App& app, const Request& request) {
  const OperatorId id{TRY(number_param(request.params[0], "operator"))};
  const OrgId org = TRY(org_of_path(app, request));
  return reply_when_followed(app,
                             [&app, actor = actor_of(request), authority = request.caller.authority,
                              id, org, now = request.now](store::Tx& tx) -> Result<Response> {
                               const auto grant = TRY(fleet::revoke_grant(
                                   tx, app.ids, app.credentials, actor, authority, id, org, now));
                               fleet::OperatorNames people(tx);
                               return http::json_response(200, encode_grant(grant, people));
                             });
}

}  // namespace muster::endpoints
