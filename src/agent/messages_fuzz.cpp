// SPDX-License-Identifier: Apache-2.0
// What a server, or somebody in its place, may answer to the agent.
#include "agent/messages.h"

#include "agent/identity.h"
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
  }
  const Result<agent::Identity> identity = agent::decode_identity(input);
  if (identity.ok()) {
    const std::string again = agent::encode_identity(*identity);
    CHECK(agent::encode_identity(agent::decode_identity(again).value()) == again);
  }
  return 0;
}
