// SPDX-License-Identifier: Apache-2.0
#include "agent/enrolment.h"

#include <algorithm>

#include "agent/bounds.h"
#include "agent/envelope.h"
#include "agent/http_date.h"
#include "agent/phase.h"
#include "agent/version.h"
#include "base/json_write.h"

namespace muster::agent {

namespace {

constexpr int retry_seconds_default = 5;

Error refusal(const Answer& answer) {
  const Refusal why = read_refusal(answer);
  const std::string message =
      "the server refused the enrolment (" + std::to_string(answer.status) + "): " + why.message;
  if (answer.status != 429 && answer.status != 503) return {Errc::invalid_token, message};
  Error error{answer.status == 429 ? Errc::rate_limited : Errc::overloaded, message};
  error.retry_after_seconds = retry_seconds_default;
  // Only the form in seconds: without a clock of the server's a date means nothing yet.
  if (const auto wait = parse_retry_after(answer.header("Retry-After"), Instant{})) {
    error.retry_after_seconds =
        static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(*wait).count());
  }
  return error;
}

}  // namespace

Call make_enrolment(std::string_view token, const HostFacts& facts) {
  JsonWriter json;
  json.begin_object()
      .member("token", token)
      .member("hostname", facts.hostname)
      .member("os", "linux")
      .member("arch", facts.arch)
      .member("agent_version", agent_version);
  if (!facts.machine_id.empty()) json.member("machine_id", facts.machine_id);
  json.end_object();
  return {http::Method::post, "/api/agent/enroll", {}, json.take()};
}

Result<Identity> read_enrolment(const Answer& answer, std::string_view server_url) {
  if (!answer.success()) return refusal(answer);
  Fields data(TRY(read_envelope(answer)), "data");
  Identity identity;
  identity.server_url = server_url;
  const std::string_view agent = data.text("agent_id", limits::name_bytes);
  identity.key = data.text(data.has("api_key") ? "api_key" : "agent_key", limits::key_bytes);
  identity.update_public_key =
      data.optional_text(data.has("public_key") ? "public_key" : "update_public_key",
                         limits::key_bytes)
          .value_or("");
  identity.org = data.optional_text("org_id", limits::name_bytes).value_or("");
  TRY(data.finish());
  identity.agent = AgentId{TRY(parse_uuid(agent))};
  return identity;
}

Duration enrolment_wait(const HostFacts& facts, int retry_after_seconds, Instant now) {
  const Duration asked = std::chrono::seconds(retry_after_seconds);
  const Duration spread_over = std::max<Duration>(asked, std::chrono::seconds(1));
  // Of machines with one image, before each is given an id of its own, the names differ.
  return asked + until_phase(phase_of(facts.machine_id + facts.hostname), now, spread_over);
}

}  // namespace muster::agent
