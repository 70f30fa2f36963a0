// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/credentials.h"
#include "fleet/history.h"

namespace muster::store {
class Reader;
class Tx;
}  // namespace muster::store

/// Which hosts call with which site's key. A host that got another key asks to revoke the one it
/// had (POST /api/agent/revoke-old-key); that must lock out no other host.
namespace muster::fleet {

/// When each use was written down last, in memory, so that one costs a write once a day. Follows
/// the store on commit. Safe from several threads.
class KeyUses {
 public:
  void load(store::Reader& reader);
  /// Whether a use at `now` is to be written down.
  bool is_news(KeyId key, HostId host, Instant now) const;
  void set(KeyId key, HostId host, Instant used_at);

 private:
  struct Use {
    std::int64_t key;
    std::int64_t host;
    bool operator==(const Use&) const = default;
  };
  struct UseHash {
    std::size_t operator()(const Use& use) const noexcept {
      return std::hash<std::int64_t>{}(use.host * 31 + use.key);
    }
  };
  using Uses = boost::unordered_flat_map<Use, std::int64_t, UseHash>;
  static constexpr std::size_t shards = 16;
  static std::size_t shard(HostId host) { return static_cast<std::uint64_t>(host.value) % shards; }

  std::array<Guarded<Uses>, shards> uses_;
};

/// Nothing unless it is_news().
void record_key_use(store::Tx& tx, KeyUses& uses, OrgId org, KeyId key, HostId host, Instant now);

/// Who asks to end the key that it had before.
struct KeySuccessor {
  OrgId org;
  KeyId key;  // that it has now
  std::optional<HostId> host;
  std::string_view peer_address;
};
/// Revokes `old_key` unless a host other than the one that asks used it within
/// limits::key_use_memory and has not moved to the new key since. Who asks is the host it names,
/// else the one user whose address is the peer's. Returns whether the key was revoked, with its
/// audit row. Fails with not_found for a key that is none of the organisation.
Result<bool> revoke_old_key(store::Tx& tx, NumberIds& ids, Credentials& credentials,
                            const KeySuccessor& successor, KeyId old_key, Instant now);

}  // namespace muster::fleet
