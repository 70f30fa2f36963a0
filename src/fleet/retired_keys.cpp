// SPDX-License-Identifier: Apache-2.0
#include "fleet/retired_keys.h"

#include <utility>

#include "base/limits.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "store/store.h"

namespace muster::fleet {

std::optional<RetiredKey> RetiredKeyWatch::note(const crypto::KeyHash& presented, AgentId claimed,
                                                std::string_view address, Instant now) {
  std::optional<RetiredKey> known;
  credentials_.retired.with(presented, [&](RetiredKey& key) {
    if (key.agent != claimed && key.alias != claimed) return;
    known = key;
    if (now - key.told < limits::retired_key_silence) return;
    uses_.with([&](std::vector<Use>& uses) {
      if (uses.size() >= limits::retired_key_uses) return;
      key.told = now;
      uses.push_back({key.org, key.agent, key.host, key.generation, std::string(address), now});
    });
  });
  return known;
}

std::size_t RetiredKeyWatch::tell(store::Store& store, NumberIds& ids) {
  const std::vector<Use> uses =
      uses_.with([](std::vector<Use>& waiting) { return std::exchange(waiting, {}); });
  if (uses.empty()) return 0;
  try {
    store.write([&](store::Tx& tx) {
      for (const Use& use : uses) {
        record_event(
            tx, ids, use.org, model::EventType::retired_key_used, use.agent, use.host,
            [&](JsonWriter& details) {
              details.member("generation", use.generation).member("address", use.address);
            },
            use.at);
      }
    });
  } catch (const store::StoreError&) {
    uses_.with([&](std::vector<Use>& waiting) {
      waiting.insert(waiting.begin(), uses.begin(), uses.end());
    });
    throw;
  }
  return uses.size();
}

}  // namespace muster::fleet
