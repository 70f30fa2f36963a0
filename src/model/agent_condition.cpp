// SPDX-License-Identifier: Apache-2.0
#include "model/agent_condition.h"

namespace muster::model {

std::uint64_t mark_of(const AgentCondition& condition) {
  if (condition == AgentCondition{}) return 0;
  std::uint64_t mark = 0xCBF29CE484222325U;
  for (const std::string* part : {&condition.config_hash, &condition.config_error,
                                  &condition.update_version, &condition.update_error}) {
    for (const char c : *part) mark = (mark ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    mark = (mark ^ '\n') * 0x100000001B3U;
  }
  return mark | 1;
}

}  // namespace muster::model
