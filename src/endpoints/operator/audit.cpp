// SPDX-License-Identifier: Apache-2.0
// The audit log: its rows, newest first, and its chains from their beginning.
#include "fleet/audit.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/blobs.h"
#include "fleet/orgs.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;

namespace {

/// Whose chain is meant: an organisation's, with 0 that of the whole server, all when absent.
Result<std::optional<OrgId>> chain_param(App& app, const Request& request) {
  const bool of_server = http::query_param(request.query, "org") == "0";
  if (of_server && !request.caller.is_limited()) return std::optional(store::server_org);
  return org_param(app, request);
}

/// The exact text of a column; nothing when absent. Fails with invalid_field naming it.
Result<std::optional<std::string>> word_param(const Request& request, std::string_view name) {
  auto text = http::query_param(request.query, name);
  if (text && text->empty()) return invalid_field(std::string(name), "must not be empty");
  return text;
}

}  // namespace

Result<Reply> list_audit(App& app, const Request& request) {
  fleet::AuditQuestion question;
  question.org = TRY(chain_param(app, request));
  if (const auto text = http::query_param(request.query, "actor")) {
    question.actor = TRY(fleet::parse_actor(*text));
  }
  question.action = TRY(word_param(request, "action"));
  question.target = TRY(word_param(request, "target"));
  question.since = TRY(time_param(request, "since"));
  question.until = TRY(time_param(request, "until"));
  const int limit = TRY(page_limit(request));
  const fleet::HistoryPage page =
      TRY(fleet::list_audit_page(app.store, question, page_cursor(request), limit));
  return Reply(page_response(page.rows, page.next_cursor, page.total));
}

Result<Reply> export_audit(App& app, const Request& request) {
  const auto org = TRY(chain_param(app, request));
  const int limit = TRY(page_limit(request));
  const fleet::AuditCursor from = TRY(fleet::parse_audit_cursor(page_cursor(request)));
  http::Response response;
  response.body = fleet::export_audit(app.store, org, from, limit);
  response.content_type = "application/x-ndjson";
  return Reply(std::move(response));
}

Result<Reply> list_audit_heads(App& app, const Request& request) {
  const auto org = TRY(chain_param(app, request));
  std::vector<Listed> all;
  for (const model::AuditHead& head : fleet::list_audit_heads(app.store, org)) {
    JsonWriter json;
    json.begin_object()
        .member("org_id", head.org)
        .member("seq", head.seq)
        .member("hash", head.hash.text())
        .member("head", model::encode_audit_head(head))
        .end_object();
    all.push_back({std::to_string(head.org.value), json.take()});
  }
  return page_of(all, request);
}

}  // namespace muster::endpoints
