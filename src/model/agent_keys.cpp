// SPDX-License-Identifier: Apache-2.0
#include "model/agent_keys.h"

#include <algorithm>

#include "base/check.h"

namespace muster::model {

KeyUse use_of(const AgentKeys& keys, std::int64_t generation) {
  if (generation == keys.offered) return KeyUse::first;
  if (!keys.used && generation >= 0 && generation <= keys.issued) return KeyUse::first;
  if (generation == keys.current) return keys.used ? KeyUse::known : KeyUse::first;
  if (keys.former_accepted && generation == keys.former) return KeyUse::known;
  return KeyUse::refused;
}

AgentKeys after_use(const AgentKeys& keys, std::int64_t generation) {
  CHECK(use_of(keys, generation) != KeyUse::refused);
  AgentKeys next = keys;
  next.used = true;
  if (generation == keys.offered) {
    next.current = generation;
    next.offered.reset();
    if (!keys.former_accepted) next.former = keys.current;
    next.former_accepted = false;
  } else if (!keys.used && keys.issued > 0) {
    next.current = generation;
    // Whoever has another one is told of, if it calls.
    next.former = generation == keys.issued ? keys.issued - 1 : keys.issued;
  }
  return next;
}

bool may_repeat(const AgentKeys& keys) {
  return !keys.used && !keys.offered && keys.issued < enrolment_repeats;
}

AgentKeys repeated(const AgentKeys& keys) {
  CHECK(may_repeat(keys));
  AgentKeys next = keys;
  ++next.issued;
  return next;
}

std::int64_t newest(const AgentKeys& keys) {
  return std::max({keys.current, keys.issued, keys.offered.value_or(0)});
}

AgentKeys rotated(const AgentKeys& keys) {
  AgentKeys next = keys;
  if (!next.offered) next.offered = newest(keys) + 1;
  return next;
}

AgentKeys reissued(const AgentKeys& keys) {
  AgentKeys next = rotated(keys);
  next.former_accepted = keys.former.has_value();
  return next;
}

}  // namespace muster::model
