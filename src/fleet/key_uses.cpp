// SPDX-License-Identifier: Apache-2.0
#include "fleet/key_uses.h"

#include <algorithm>
#include <string>

#include "base/limits.h"
#include "fleet/enrolment.h"
#include "store/sql/keys.h"
#include "store/store.h"

namespace muster::fleet {

void KeyUses::load(store::Reader& reader) {
  store::for_each_key_use(reader,
                          [&](const store::KeyUse& use) { set(use.key, use.host, use.used_at); });
}

bool KeyUses::is_news(KeyId key, HostId host, Instant now) const {
  return uses_[shard(host)].with([&](const Uses& uses) {
    const auto found = uses.find({key.value, host.value});
    return found == uses.end() || now - Instant{found->second} >= limits::key_use_step;
  });
}

void KeyUses::set(KeyId key, HostId host, Instant used_at) {
  uses_[shard(host)].with([&](Uses& uses) {
    std::int64_t& known = uses[{key.value, host.value}];
    known = std::max(known, used_at.unix_ms);
  });
}

void record_key_use(store::Tx& tx, KeyUses& uses, OrgId org, KeyId key, HostId host, Instant now) {
  if (!uses.is_news(key, host, now)) return;
  store::set_key_use(tx, {org, key, host, now});
  tx.on_commit([&uses, key, host, now] { uses.set(key, host, now); });
}

Result<bool> revoke_old_key(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                            const KeySuccessor& successor, KeyId old_key, Instant now) {
  // Uses are written down once a day: only after two is it sure which key was used last.
  const auto users =
      store::list_key_users(tx, successor.org, old_key, successor.key, now - limits::key_use_memory,
                            2 * limits::key_use_step, 2);
  const auto asks = [&](const store::KeyUser& user) {
    if (successor.host) return user.host == *successor.host;
    return !user.ip_address.empty() && user.ip_address == successor.peer_address;
  };
  const bool in_use = users.size() > 1 || (users.size() == 1 && !asks(users.front()));
  if (in_use) return false;
  TRY(revoke_inventory_key(tx, ids, credentials, Actor::inventory_key(successor.key), old_key,
                           now));
  return true;
}

}  // namespace muster::fleet
