// SPDX-License-Identifier: Apache-2.0
#include "fleet/releases.h"

#include <algorithm>

#include "base/text.h"
#include "endpoints/decode.h"
#include "endpoints/operator/operator.h"

namespace muster::endpoints {

using http::Reply;
using http::Request;
using http::Response;

namespace {

std::string encode_release(const fleet::Release& release, fleet::OperatorNames& names) {
  JsonWriter json;
  json.begin_object()
      .member("id", release.id)
      .member("version", release.facts.version)
      .member("os", release.facts.os)
      .member("arch", release.facts.arch)
      .member("sha256", release.facts.sha256.text())
      .member("size", release.facts.size)
      .member("serial", release.facts.serial)
      .member("expires_at", release.facts.expires_at)
      .member("mandatory", release.mandatory)
      .member("notes", release.notes)
      .member("signature", to_hex(release.signature))
      .member("manifest", release.manifest)
      .member("manifest_signature", to_hex(release.manifest_signature))
      .member("public_key", to_hex(release.signer))
      .member("published_at", release.published_at);
  write_operator(json, "published_by", release.published_by, names);
  json.member("withdrawn_at", release.withdrawn_at).end_object();
  return json.take();
}

/// The three members of what `muster releases sign` writes: all or none.
std::optional<fleet::ReleaseOrder::Signed> decode_signed(Fields& fields) {
  const auto text = fields.optional_text("manifest", limits::detail_bytes);
  if (!text) return std::nullopt;
  fleet::ReleaseOrder::Signed given;
  given.manifest = *text;
  read_hex(fields, "manifest_signature", given.signature);
  read_hex(fields, "public_key", given.signer);
  return given;
}

Result<model::ReleaseId> release_param(const Request& request) {
  return model::ReleaseId{TRY(number_param(request.params[0], "release"))};
}

}  // namespace

Result<Reply> publish_release(App& app, const Request& request) {
  const Json body = TRY(decode_body(request));
  Fields fields(body);
  fleet::ReleaseOrder order;
  order.version = fields.text("version", limits::agent_version_bytes);
  order.os = one_of(fields, "os", {"windows", "linux", "darwin"});
  order.arch = one_of(fields, "arch", {"amd64", "arm64"});
  order.mandatory = fields.optional_boolean("mandatory").value_or(false);
  order.notes = fields.optional_multiline("notes", limits::detail_bytes).value_or("");
  order.manifest = decode_signed(fields);
  order.sha256 = TRY(sha256_member(fields));
  return Reply(http::Write([&app, actor = actor_of(request), order = std::move(order),
                            publisher = OperatorId{request.caller.key},
                            now = request.now](store::Tx& tx) -> Result<Response> {
    const fleet::Release release =
        TRY(fleet::publish_release(tx, app.ids, actor, publisher, app.signing_key, order, now));
    fleet::OperatorNames names(tx);
    return http::json_response(201, encode_release(release, names));
  }));
}

Result<Reply> list_releases(App& app, const Request& request) {
  const int limit = TRY(page_limit(request));
  const fleet::ReleasePage page =
      TRY(fleet::list_release_page(app.store, page_cursor(request), limit));
  std::vector<std::string> items;
  items.reserve(page.releases.size());
  fleet::OperatorNames names(app.store);
  for (const fleet::Release& release : page.releases) {
    items.push_back(encode_release(release, names));
  }
  return Reply(page_response(items, page.next_cursor, page.total));
}

Result<Reply> show_release(App& app, const Request& request) {
  const model::ReleaseId id = TRY(release_param(request));
  const fleet::Release release = TRY(fleet::show_release(app.store, id));
  fleet::OperatorNames names(app.store);
  return Reply(http::json_response(200, encode_release(release, names)));
}

Result<Reply> withdraw_release(App& app, const Request& request) {
  const model::ReleaseId id = TRY(release_param(request));
  return Reply(http::Write(
      [&app, actor = actor_of(request), id, now = request.now](store::Tx& tx) -> Result<Response> {
        const fleet::Release release = TRY(fleet::withdraw_release(tx, app.ids, actor, id, now));
        fleet::OperatorNames names(tx);
        return http::json_response(200, encode_release(release, names));
      }));
}

}  // namespace muster::endpoints
