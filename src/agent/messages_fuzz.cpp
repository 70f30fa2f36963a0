// SPDX-License-Identifier: Apache-2.0
// What a server, or somebody in its place, may answer to the agent, and what the program of a test
// may leave for it.
#include "agent/messages.h"

#include "agent/bounds.h"
#include "agent/enrolment.h"
#include "agent/envelope.h"
#include "agent/http_date.h"
#include "agent/identity.h"
#include "agent/test_order.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const AgentId self{parse_uuid("0190f1c2-0000-7000-8000-000000000001").value()};
  if (const Result<Json> data = thread_json().parse(input); data.ok()) {
    const agent::HeartbeatAnswer answer = agent::read_heartbeat(*data);
    CHECK(answer.new_key.size() <= limits::key_bytes && is_plain_text(answer.new_key));
    (void)agent::read_assignment(*data, self);
    (void)agent::read_report(*data);
  }
  const agent::Answer answer{200, {}, std::string(input)};
  (void)agent::read_envelope(answer);
  (void)agent::read_flat(answer);
  (void)agent::is_refusal_of_server(answer);
  CHECK(is_plain_text(agent::read_refusal(answer).message));
  if (const auto enrolled = agent::read_enrolment(answer, "https://muster.example");
      enrolled.ok()) {
    CHECK(!enrolled->key.empty() && is_plain_text(enrolled->key));
  }
  if (const auto wait = agent::parse_retry_after(input, Instant{1'700'000'000'000})) {
    CHECK(*wait >= Duration(0) && *wait <= agent::bounds::retry_after_max);
  }
  if (const std::string bundle = agent::read_bundle(input, "b"); !bundle.empty()) {
    CHECK(thread_json().parse(bundle).ok());
  }
  const Result<agent::Identity> identity = agent::decode_identity(input);
  if (identity.ok()) {
    const std::string again = agent::encode_identity(*identity);
    CHECK(agent::encode_identity(agent::decode_identity(again).value()) == again);
  }
  return 0;
}
