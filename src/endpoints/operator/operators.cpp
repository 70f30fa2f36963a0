// SPDX-License-Identifier: Apache-2.0
// Operators and their roles.
#include "fleet/operators.h"

#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

std::string encode_operator(const store::OperatorToken& token) {
  JsonWriter json;
  json.begin_object()
      .member("id", token.id)
      .member("name", token.name)
      .member("role", token.role)
      .member("created_at", token.created_at)
      .member("expires_at", token.expires_at)
      .member("revoked_at", token.revoked_at)
      .end_object();
  return json.take();
}

}  // namespace

Result<Reply> create_operator(App& app, const Request& request) {
  Fields fields(TRY(decode_body(request)));
  fleet::OperatorOrder order;
  order.name = fields.text("name", limits::name_bytes);
  const auto role = http::parse_role(
      one_of(fields, "role", {"read_only", "analyst", "operator", "admin", "owner"}));
  order.ttl = std::chrono::seconds(
      fields.optional_integer("ttl_seconds", 0, limits::operator_ttl_seconds_max)
          .value_or(limits::operator_ttl_seconds));
  TRY(fields.finish());
  order.role = *role;
  if (order.role > request.caller.role) {
    return Error{Errc::insufficient_role, "Nobody gives a role above their own."};
  }
  return Reply(http::Write([&app, actor = actor_of(request), order = std::move(order),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const auto created =
        fleet::create_operator(tx, app.ids, app.rng, app.credentials, actor, order, now);
    JsonWriter json;
    json.begin_object()
        .member("id", created.id)
        .member("token", created.token)
        .member("name", order.name)
        .member("role", http::role_name(order.role))
        .member("expires_at", created.expires_at)
        .end_object();
    return http::json_response(201, json.take());
  }));
}

Result<Reply> list_operators(App& app, const Request& request) {
  std::vector<Listed> all;
  for (const auto& token : fleet::list_operators(app.store)) {
    all.push_back({std::to_string(token.id.value), encode_operator(token)});
  }
  return page_of(all, request);
}

Result<Reply> revoke_operator(App& app, const Request& request) {
  const OperatorId id{TRY(number_param(request.params[0], "operator"))};
  return reply_when_followed(app,
                             [&app, actor = actor_of(request), role = request.caller.role, id,
                              now = request.now](store::Tx& tx) -> Result<Response> {
                               const auto token = TRY(fleet::revoke_operator(
                                   tx, app.ids, app.credentials, actor, role, id, now));
                               return http::json_response(200, encode_operator(token));
                             });
}

}  // namespace muster::endpoints
