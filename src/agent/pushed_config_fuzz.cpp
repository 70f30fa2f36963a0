// SPDX-License-Identifier: Apache-2.0
// What a server, or somebody in its place, may push as configuration.
#include "agent/pushed_config.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  agent::Settings own;
  own.policy_allow = {"execute_command"};
  if (const auto settings = agent::lay_over(own, input); settings.ok()) {
    CHECK(settings->policy_allow == own.policy_allow);
    CHECK(settings->intervals_heartbeat_seconds >= 10);
    CHECK(settings->intervals_heartbeat_seconds <= 3600);
    (void)agent::origins(own, input);
  }
  if (const auto config = agent::decode_config(input)) {
    CHECK(agent::decode_config(agent::encode_config(*config)) == config);
  }
  return 0;
}
