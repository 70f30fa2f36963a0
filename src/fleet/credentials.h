// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"

namespace muster::store {
class Reader;
}

namespace muster::fleet {

/// What a presented secret stands for, by its keyed hash: the look-up itself is the proof. Follows
/// the store: changed on commit, never before. Safe from several threads.
template <typename Entry>
class KeyMap {
 public:
  std::optional<Entry> find(const crypto::KeyHash& hash) const {
    return shard(hash).with([&](const Map& entries) -> std::optional<Entry> {
      const auto found = entries.find(hash);
      if (found == entries.end()) return std::nullopt;
      return found->second;
    });
  }
  void set(const crypto::KeyHash& hash, Entry entry) {
    shard(hash).with([&](Map& entries) { entries.insert_or_assign(hash, std::move(entry)); });
  }
  void erase(const crypto::KeyHash& hash) {
    shard(hash).with([&](Map& entries) { entries.erase(hash); });
  }

 private:
  using Map = boost::unordered_flat_map<crypto::KeyHash, Entry, std::hash<crypto::KeyHash>>;
  static constexpr std::size_t shards = 64;

  Guarded<Map>& shard(const crypto::KeyHash& hash) { return maps_[hash.bytes[31] % shards]; }
  const Guarded<Map>& shard(const crypto::KeyHash& hash) const {
    return maps_[hash.bytes[31] % shards];
  }
  std::array<Guarded<Map>, shards> maps_;
};

struct AgentCredential {
  OrgId org;
  AgentId agent;
  HostId host;
  bool disabled = false;
};
struct InventoryCredential {
  OrgId org;
  KeyId key;
  std::uint8_t scopes = 0;
};
struct OperatorCredential {
  OperatorId id;
  std::uint8_t scopes = 0;
  std::optional<Instant> expires_at;
};
struct EnrolmentCredential {
  OrgId org;
  TokenId token;
  Instant expires_at;
};

/// Every live key and token of the server.
class Credentials {
 public:
  explicit Credentials(const crypto::KeyedHash& keyed_hash) : keyed_hash_(keyed_hash) {}

  void load(store::Reader& reader);

  crypto::KeyHash hash(std::string_view presented) const { return keyed_hash_.of(presented); }
  const crypto::KeyedHash& keyed_hash() const { return keyed_hash_; }

  KeyMap<AgentCredential> agents;
  KeyMap<InventoryCredential> inventory_keys;
  KeyMap<OperatorCredential> operators;
  KeyMap<EnrolmentCredential> enrolment_tokens;

 private:
  const crypto::KeyedHash& keyed_hash_;
};

}  // namespace muster::fleet
