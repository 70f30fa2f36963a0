// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"
#include "base/text.h"
#include "endpoints/app.h"
#include "endpoints/decode.h"
#include "endpoints/guards.h"
#include "fleet/enrolment.h"
#include "fleet/nodes.h"
#include "http/response.h"

namespace muster::endpoints {

namespace {

/// The seed's names first, then those of the agents in the field; both are the same values.
std::string encode_enrolled(const fleet::Enrolled& enrolled, const ServerFace& face,
                            std::int64_t poll_interval) {
  JsonWriter json;
  json.begin_object()
      .member("success", true)
      .key("data")
      .begin_object()
      .member("agent_id", enrolled.agent)
      .member("api_key", enrolled.key)
      .member("public_key", face.public_key)
      .member("agent_key", enrolled.key)
      .member("org_id", std::to_string(enrolled.org.value))
      .member("server_url", face.url)
      .member("poll_interval", poll_interval)
      .member("update_public_key", face.public_key)
      .end_object()
      .end_object();
  return json.take();
}

/// Installers that were made for one organisation name it, as text or number; text that is no id
/// means none that there is.
std::optional<std::int64_t> org_of(const Json& body) {
  const auto given = body.find("org_id");
  if (!given || given->is_null()) return std::nullopt;
  if (const auto text = given->string()) return parse_int(*text).value_or(0);
  return given->integer().value_or(0);
}

}  // namespace

Result<http::Reply> enroll_agent(App& app, const http::Request& request) {
  TRY(check_lease(app));
  // Addresses that guess tokens are slowed; a site behind one address that proves its tokens is
  // not (only failed proofs count).
  const std::uint64_t peer = http::peer_key(request.peer_address);
  const std::int64_t failures_max =
      app.nodes.share_of(app.config.limits_enroll_failures_per_minute);
  TRY(app.failed_enrolments.peek(peer, failures_max, request.now));

  const Json body = TRY(decode_body(request));
  Fields fields(body);
  const std::string_view token = fields.text("token", limits::key_bytes);
  fleet::EnrolmentRequest enrolment;
  enrolment.hostname = fields.text("hostname", limits::hostname_bytes);
  enrolment.os = one_of(fields, "os", {"windows", "linux", "darwin"});
  enrolment.arch = one_of(fields, "arch", {"amd64", "arm64"});
  enrolment.agent_version = fields.text("agent_version", limits::agent_version_bytes);
  enrolment.machine_id = fields.optional_text("machine_id", limits::key_bytes).value_or("");
  enrolment.ip_address = request.peer_address;
  enrolment.org = org_of(body);
  TRY(fields.finish());

  const auto proved = fleet::prove_token(app.credentials, token, enrolment, request.now);
  if (!proved.ok()) {
    if (proved.error().code == Errc::invalid_token) {
      // Counted only: whether this was one too many is for the next call to learn.
      (void)app.failed_enrolments.take(peer, failures_max, request.now);
    } else {
      app.counters.fenced_enrolments.fetch_add(1, std::memory_order_relaxed);
    }
    return proved.error();
  }
  TRY(app.enroll_limit.take(static_cast<std::uint64_t>(proved->token.value),
                            app.nodes.share_of(app.config.limits_enroll_per_minute), request.now));
  return http::Reply(
      http::Write([&app, token = *proved, enrolment = std::move(enrolment), peer, failures_max,
                   now = request.now](store::Tx& tx) -> Result<http::Response> {
        const Result<fleet::Enrolled> enrolled =
            fleet::enrol_agent(tx, app.ids, app.rng, app.credentials, app.presence, app.directory,
                               app.config, token, enrolment, now);
        if (!enrolled.ok()) {
          // A token that is used up proves nothing of whoever goes on presenting it.
          if (enrolled.error().code == Errc::invalid_token) {
            (void)app.failed_enrolments.take(peer, failures_max, now);
          }
          return enrolled.error();
        }
        return http::json_response(
            201, encode_enrolled(*enrolled, app.face, app.config.device_poll_interval_seconds));
      }));
}

}  // namespace muster::endpoints
