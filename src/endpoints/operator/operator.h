// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/result.h"
#include "crypto/sha256.h"
#include "endpoints/app.h"
#include "fleet/history.h"
#include "fleet/operator_names.h"
#include "http/request.h"
#include "http/response.h"
#include "model/advisory.h"

namespace muster::endpoints {

/// The operator or key behind a request, for the audit log.
fleet::Actor actor_of(const http::Request& request);

/// The organisation that the member `org` (id or name) means, or else `?org=`; when absent
/// `default`, or for a limited caller (endpoints/reach.h) the only one in which it has the route's
/// role. Fails as org_param.
Result<OrgId> org_member(App& app, const http::Request& request, Fields& fields, const Json& body);
/// The digest in the member `sha256`. The last member to be read: fails with what any was wrong.
Result<crypto::Sha256> sha256_member(Fields& fields);
/// The organisation of `?org=`; when absent nothing, which is all of them, or for a limited caller
/// the only one in which it has the route's role. Fails with not_found for one that never was or in
/// which the caller has no role, with insufficient_role where it has a lower one, and with
/// invalid_field when a limited caller does not say which of several.
Result<std::optional<OrgId>> org_param(App& app, const http::Request& request);
/// The same, `default` where org_param has nothing.
Result<OrgId> org_param_or_default(App& app, const http::Request& request);
/// The organisation with that id or name. Fails as org_param.
Result<OrgId> reached_org(App& app, const http::Request& request, std::string_view id_or_name);

/// Commits `work` and answers once every server on the database follows it: for what must not be
/// accepted anywhere any more. Waits for other servers, so its route is `slow`.
Result<http::Reply> reply_when_followed(App& app, http::Write work);

/// The members `epss` and `epss_percentile`, both null without a score.
void write_epss(JsonWriter& json, const std::optional<model::EpssScore>& score);

/// The member `member`, an operator's id, and `member`_name beside it: null for one that is not
/// known.
void write_operator(JsonWriter& json, std::string_view member, std::optional<OperatorId> id,
                    fleet::OperatorNames& names);
/// The same of who did something, as the audit log names it; the name is null for what is no
/// operator.
void write_actor(JsonWriter& json, std::string_view member, std::string_view actor,
                 fleet::OperatorNames& names);

/// The member `feeds`: how old each imported feed is that decided what the answer says.
void write_feeds(JsonWriter& json, const App& app, Instant now);

/// {"value": N, "relation": "eq" or "gte"}
void write_total(JsonWriter& json, store::Total total);
/// {"items": [...], "next_cursor": ..., "total": {"value": N, "relation": "eq" or "gte"}}
http::Response page_response(const std::vector<std::string>& items, std::string_view next_cursor,
                             store::Total total);
/// The same with the member `feeds`, and with `unknown_not_shown` where that is given: how many
/// findings a least severity hides because theirs is unknown.
http::Response page_response(const std::vector<std::string>& items, std::string_view next_cursor,
                             store::Total total, const App& app, Instant now,
                             std::optional<store::Total> unknown_not_shown = std::nullopt);

/// One page of a list that is held whole: `items` and their cursors in order.
struct Listed {
  std::string cursor;
  std::string json;
};
Result<http::Reply> page_of(const std::vector<Listed>& all, const http::Request& request);

}  // namespace muster::endpoints
