// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"
#include "endpoints/app.h"
#include "endpoints/decode.h"
#include "endpoints/guards.h"
#include "fleet/enrolment.h"
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

std::uint64_t peer_key(std::string_view address) {
  return std::hash<std::string_view>{}(address);
}

}  // namespace

Result<http::Reply> enroll_agent(App& app, const http::Request& request) {
  TRY(check_lease(app));
  // Addresses that guess tokens are slowed; a site behind one address that proves its tokens is
  // not (only failed proofs count).
  const std::uint64_t peer = peer_key(request.peer_address);
  const std::int64_t failures_max = app.config.limits_enroll_failures_per_minute;
  TRY(app.failed_enrolments.peek(peer, failures_max, request.now));

  Fields fields(TRY(decode_body(request)));
  const std::string_view token = fields.text("token", limits::key_bytes);
  fleet::EnrolmentRequest enrolment;
  enrolment.hostname = fields.text("hostname", limits::hostname_bytes);
  enrolment.os = one_of(fields, "os", {"windows", "linux", "darwin"});
  enrolment.arch = one_of(fields, "arch", {"amd64", "arm64"});
  enrolment.agent_version = fields.text("agent_version", limits::agent_version_bytes);
  enrolment.machine_id = fields.optional_text("machine_id", limits::key_bytes).value_or("");
  enrolment.ip_address = request.peer_address;
  TRY(fields.finish());

  const auto known = app.credentials.enrolment_tokens.find(app.credentials.hash(token));
  if (!known || request.now >= known->expires_at) {
    // Counted only: whether this was one too many is for the next call to learn.
    (void)app.failed_enrolments.take(peer, failures_max, request.now);
    return Error{Errc::invalid_token, "Invalid or expired enrollment token"};
  }
  TRY(app.enroll_limit.take(static_cast<std::uint64_t>(known->token.value),
                            app.config.limits_enroll_per_minute, request.now));
  return http::Reply(http::Write([&app, token = *known, enrolment = std::move(enrolment),
                                  now = request.now](store::Tx& tx) -> Result<http::Response> {
    const fleet::Enrolled enrolled =
        TRY(fleet::enrol_agent(tx, app.ids, app.rng, app.credentials, app.presence, app.directory,
                               app.config, token, enrolment, now));
    return http::json_response(
        201, encode_enrolled(enrolled, app.face, app.config.device_poll_interval_seconds));
  }));
}

}  // namespace muster::endpoints
