// SPDX-License-Identifier: Apache-2.0
// Uploaded files, and test binaries.
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"
#include "fleet/blobs.h"
#include "fleet/orgs.h"
#include "fleet/test_binaries.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

std::string encode_binary(const fleet::TestBinary& binary, fleet::OperatorNames& names) {
  JsonWriter json;
  json.begin_object()
      .member("org_id", binary.org)
      .member("test_uuid", binary.test)
      .member("name", binary.name)
      .member("sha256", binary.sha256.text())
      .member("size", binary.size)
      .member("uploaded_at", binary.uploaded_at);
  write_operator(json, "uploaded_by", binary.uploaded_by, names);
  return json.end_object().take();
}

/// Whose an uploaded file is: an organisation's, `default` when absent, or with 0 the server's.
Result<OrgId> owner_param(App& app, const Request& request) {
  const bool of_server = http::query_param(request.query, "org") == "0";
  if (of_server && !request.caller.is_limited()) return store::server_org;
  return org_param_or_default(app, request);
}

}  // namespace

Result<crypto::Sha256> sha256_member(Fields& fields) {
  const auto digest = crypto::parse_sha256(fields.text("sha256", limits::name_bytes));
  if (!digest) fields.fail("sha256", "must be 64 hexadecimal digits");
  TRY(fields.finish());
  return *digest;
}

Result<Reply> upload_blob(App& app, const Request& request) {
  const OrgId org = TRY(owner_param(app, request));
  if (request.body.empty()) return invalid_field("body", "must not be empty");
  if (const auto expected = http::query_param(request.query, "sha256")) {
    if (crypto::parse_sha256(*expected) != crypto::sha256(request.body)) {
      return invalid_field("sha256", "is not that of what arrived");
    }
  }
  const crypto::Sha256 digest =
      TRY(fleet::store_blob(app.store, app.ids, actor_of(request), org, request.body, request.now));
  JsonWriter json;
  json.begin_object()
      .member("sha256", digest.text())
      .member("size", request.body.size())
      .member("kept_until", request.now + limits::loose_blob_life)
      .end_object();
  return Reply(http::json_response(201, json.take()));
}

Result<Reply> register_test_binary(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  fleet::TestBinary binary;
  binary.name = fields.text("name", limits::name_bytes);
  const auto test = parse_uuid(fields.text("test_uuid", limits::name_bytes));
  if (!test.ok()) fields.fail("test_uuid", "must be a UUID");
  binary.org = TRY(org_member(app, request, fields, body));
  binary.sha256 = TRY(sha256_member(fields));
  binary.test = *test;
  binary.uploaded_by = OperatorId{request.caller.key};
  return Reply(http::Write([&app, actor = actor_of(request), binary,
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::TestBinary kept =
        TRY(fleet::register_test_binary(tx, app.ids, actor, binary, now));
    fleet::OperatorNames names(tx);
    return http::json_response(201, encode_binary(kept, names));
  }));
}

Result<Reply> list_test_binaries(App& app, const Request& request) {
  const int limit = TRY(page_limit(request));
  const auto org = TRY(org_param(app, request));
  std::optional<Uuid> test;
  if (const auto text = http::query_param(request.query, "test_uuid")) {
    test = TRY(uuid_param(*text, "test"));
  }
  const fleet::TestBinaryPage page =
      TRY(fleet::list_test_binary_page(app.store, org, test, page_cursor(request), limit));
  std::vector<std::string> items;
  items.reserve(page.binaries.size());
  fleet::OperatorNames names(app.store);
  for (const fleet::TestBinary& binary : page.binaries) {
    items.push_back(encode_binary(binary, names));
  }
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> delete_test_binary(App& app, const Request& request) {
  const Uuid test = TRY(uuid_param(request.params[0], "test"));
  const OrgId org = TRY(org_param_or_default(app, request));
  return Reply(http::Write([&app, actor = actor_of(request), org, test,
                            name = std::string(request.params[1]),
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::TestBinary gone =
        TRY(fleet::delete_test_binary(tx, app.ids, actor, org, test, name, now));
    fleet::OperatorNames names(tx);
    return http::json_response(200, encode_binary(gone, names));
  }));
}

}  // namespace muster::endpoints
